//! Modified copies of tokens, signed requests and cursors.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::seeded_random::SeededRandom;

/// The number of random characters that are replaced in each part of a token.
const RANDOM_CHARACTERS: usize = 16;

/// The token with another character in each part, truncated, concatenated, and with other headers and claims.
pub fn tokens(token: &str, random: &mut SeededRandom) -> Vec<(String, String)> {
    let parts: Vec<_> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("a token has three parts") };
    let mut forged = Vec::new();
    let mut begin = 0;
    for (name, part) in [("header", header), ("payload", payload), ("signature", signature)] {
        let mut offsets = vec![0, 1, part.len() / 2, part.len() - 2];
        offsets.extend((0..RANDOM_CHARACTERS).map(|_| random.below(part.len() - 1)));
        for offset in offsets {
            forged.push((format!("{name}, character {offset}"), with_other_character(token, begin + offset)));
        }
        begin += part.len() + 1;
    }
    for length in [1, header.len(), header.len() + 1, token.len() - signature.len(), token.len() - 4] {
        forged.push((format!("truncated to {length}"), token[..length].to_owned()));
    }
    let claims: Value = decode(payload);
    let original_header: Value = decode(header);
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    for (name, value) in [
        ("alg", json!("none")),
        ("alg", json!("None")),
        ("alg", json!("HS256")),
        ("alg", json!("ES256")),
        ("alg", json!(null)),
        ("kid", json!("../../../dev/null")),
        ("kid", json!("' OR 1=1 --")),
        ("jku", json!("http://127.0.0.1:9/jwks.json")),
        ("jwk", json!({"kty": "oct", "k": "AA"})),
        ("crit", json!(["exp"])),
    ] {
        let mut other = original_header.clone();
        other[name] = value.clone();
        forged.push((format!("{name}: {value}"), format!("{}.{payload}.{signature}", encode(&other))));
        forged.push((format!("{name}: {value}, unsigned"), format!("{}.{payload}.", encode(&other))));
    }
    for (name, _) in claims.as_object().expect("claims") {
        for value in [json!(null), json!([]), json!({"a": 1}), json!(-1), json!(1e300), json!("x".repeat(5_000))] {
            let mut other = claims.clone();
            other[name] = value;
            forged.push((format!("another `{name}`"), format!("{header}.{}.{signature}", encode(&other))));
        }
        let mut other = claims.clone();
        other.as_object_mut().and_then(|claims| claims.remove(name)).expect("claim");
        forged.push((format!("without `{name}`"), format!("{header}.{}.{signature}", encode(&other))));
    }
    // Arrays as header or claims are left out: the emulator's authorizer returns 500.
    for (what, other) in [
        ("two tokens", format!("{token}, {token}")),
        ("four parts", format!("{token}.{signature}")),
        ("parts in another order", format!("{payload}.{header}.{signature}")),
        ("only dots", "..".to_owned()),
        ("far too long", format!("{token}{}", "A".repeat(6_000))),
    ] {
        forged.push((what.to_owned(), other));
    }
    forged
}

fn decode(part: &str) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("JSON")
}

/// The text with another base64 character at `at`. It differs in the high bits: in a last character, the low bits have no
/// meaning.
fn with_other_character(text: &str, at: usize) -> String {
    let other = match &text[at..=at] {
        "A" => "z",
        "z" => "A",
        character if character < "N" => "z",
        _ => "A",
    };
    format!("{}{other}{}", &text[..at], &text[at + 1..])
}

/// The signed request with each header, signature parameter and path segment changed or removed.
pub fn upload_requests(upload: &Value) -> Vec<(String, Value)> {
    let url = upload["url"].as_str().expect("URL");
    let headers = upload["headers"].as_object().expect("headers");
    let mut forged = Vec::new();
    for (name, value) in headers.iter().filter(|(name, _)| *name != "content-length") {
        let value = value.as_str().expect("text");
        for other in [format!("{value}x"), format!("x{value}"), value.to_uppercase() + "0", "*".to_owned() + value] {
            let mut changed = upload.clone();
            changed["headers"][name] = other.as_str().into();
            forged.push((format!("{name}: {other}"), changed));
        }
        let mut changed = upload.clone();
        changed["headers"].as_object_mut().and_then(|headers| headers.remove(name)).expect("header");
        forged.push((format!("without {name}"), changed));
    }
    let with_url = |url: String| {
        let mut changed = upload.clone();
        changed["url"] = url.into();
        changed
    };
    let (path, query) = url.split_once('?').expect("signature");
    let pairs: Vec<_> = query.split('&').collect();
    for (index, pair) in pairs.iter().enumerate() {
        let (name, value) = pair.split_once('=').expect("parameter");
        // S3 ignores the parameter that names the operation.
        if !name.starts_with("X-Amz-") {
            continue;
        }
        let with_pair = |other: Option<String>| {
            let mut pairs: Vec<_> = pairs.iter().map(|pair| (*pair).to_owned()).collect();
            match other {
                Some(other) => pairs[index] = other,
                None => drop(pairs.remove(index)),
            }
            with_url(format!("{path}?{}", pairs.join("&")))
        };
        forged.push((format!("without {name}"), with_pair(None)));
        forged.push((format!("{name} longer"), with_pair(Some(format!("{name}={value}0")))));
        forged.push((format!("{name} shorter"), with_pair(Some(format!("{name}={}", &value[..value.len() - 1])))));
    }
    let segments: Vec<_> = path.rsplitn(4, '/').collect();
    for segment in &segments[..3] {
        forged.push((format!("another {segment}"), with_url(format!("{}?{query}", path.replace(segment, "other")))));
    }
    forged.push(("no query".to_owned(), with_url(path.to_owned())));
    forged
}

/// The cursor with flipped bits, truncated, extended, and in other encodings.
pub fn cursors(cursor: &str, random: &mut SeededRandom) -> Vec<(String, String)> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).expect("base64");
    let mut forged = Vec::new();
    let mut offsets = vec![0, 1, 32, 33, bytes.len() - 1];
    offsets.extend((0..20).map(|_| random.below(bytes.len())));
    for offset in offsets {
        let mut changed = bytes.clone();
        changed[offset] ^= 1 << random.below(8);
        forged.push((format!("byte {offset}"), BASE64_URL_SAFE_NO_PAD.encode(changed)));
    }
    for length in [0, 1, 32, 33, bytes.len() - 1] {
        forged.push((format!("{length} bytes"), BASE64_URL_SAFE_NO_PAD.encode(&bytes[..length])));
    }
    forged.push(("one more byte".to_owned(), BASE64_URL_SAFE_NO_PAD.encode([&bytes[..], &[0]].concat())));
    for other in [format!("{cursor}="), format!("{cursor}%00"), format!("{cursor},{cursor}"), "%ff".to_owned()] {
        forged.push(("another encoding".to_owned(), other));
    }
    forged.push(("far too long".to_owned(), "A".repeat(4_000)));
    forged
}
