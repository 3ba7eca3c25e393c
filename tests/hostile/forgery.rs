//! What a client was given, with something else in it.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::chance::Chance;

/// Places within each part of a token that are tried, beside its ends.
const PLACES: usize = 16;

/// The token with another character at places of every sort, cut, joined, and in other shapes.
pub fn tokens(token: &str, chance: &mut Chance) -> Vec<(String, String)> {
    let parts: Vec<_> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("a token has three parts") };
    let mut forged = Vec::new();
    let mut begin = 0;
    for (name, part) in [("header", header), ("payload", payload), ("signature", signature)] {
        let mut places = vec![0, 1, part.len() / 2, part.len() - 2];
        places.extend((0..PLACES).map(|_| chance.below(part.len() - 1)));
        for place in places {
            let at = begin + place;
            forged.push((format!("{name}, character {place}"), replaced(token, at)));
        }
        begin += part.len() + 1;
    }
    for length in [1, header.len(), header.len() + 1, token.len() - signature.len(), token.len() - 4] {
        forged.push((format!("cut to {length}"), token[..length].to_owned()));
    }
    let claims: Value = decoded(payload);
    let described: Value = decoded(header);
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
        let mut other = described.clone();
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
        other.as_object_mut().and_then(|claims| claims.remove(name)).expect("a claim");
        forged.push((format!("without `{name}`"), format!("{header}.{}.{signature}", encode(&other))));
    }
    // Not with arrays for header and claims: to those the emulator's authorizer answers 500.
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

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).expect("base 64")).expect("JSON")
}

/// The text with another character of base 64 at `at`: one that stands for other bits, wherever it is.
fn replaced(text: &str, at: usize) -> String {
    let other = match &text[at..=at] {
        "A" => "z",
        "z" => "A",
        character if character < "N" => "z",
        _ => "A",
    };
    format!("{}{other}{}", &text[..at], &text[at + 1..])
}

/// The signed request with each of its headers, each parameter of its signature, and each segment of
/// its path other, or missing.
pub fn forms(upload: &Value) -> Vec<(String, Value)> {
    let url = upload["url"].as_str().expect("a URL");
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
        changed["headers"].as_object_mut().and_then(|headers| headers.remove(name)).expect("a header");
        forged.push((format!("without {name}"), changed));
    }
    let at = |url: String| {
        let mut changed = upload.clone();
        changed["url"] = url.into();
        changed
    };
    let (path, query) = url.split_once('?').expect("a signature");
    let pairs: Vec<_> = query.split('&').collect();
    for (place, pair) in pairs.iter().enumerate() {
        let (name, value) = pair.split_once('=').expect("a parameter");
        // What only says which operation it is means nothing to S3.
        if !name.starts_with("X-Amz-") {
            continue;
        }
        let with = |other: Option<String>| {
            let mut pairs: Vec<_> = pairs.iter().map(|pair| (*pair).to_owned()).collect();
            match other {
                Some(other) => pairs[place] = other,
                None => drop(pairs.remove(place)),
            }
            at(format!("{path}?{}", pairs.join("&")))
        };
        forged.push((format!("without {name}"), with(None)));
        forged.push((format!("{name} longer"), with(Some(format!("{name}={value}0")))));
        forged.push((format!("{name} shorter"), with(Some(format!("{name}={}", &value[..value.len() - 1])))));
    }
    let key: Vec<_> = path.rsplitn(4, '/').collect();
    for segment in &key[..3] {
        forged.push((format!("another {segment}"), at(format!("{}?{query}", path.replace(segment, "other")))));
    }
    forged.push(("no query".to_owned(), at(path.to_owned())));
    forged
}

/// The cursor with bits flipped, cut, longer, and in other shapes.
pub fn cursors(cursor: &str, chance: &mut Chance) -> Vec<(String, String)> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).expect("base 64");
    let mut forged = Vec::new();
    let mut places = vec![0, 1, 32, 33, bytes.len() - 1];
    places.extend((0..20).map(|_| chance.below(bytes.len())));
    for place in places {
        let mut changed = bytes.clone();
        changed[place] ^= 1 << chance.below(8);
        forged.push((format!("byte {place}"), BASE64_URL_SAFE_NO_PAD.encode(changed)));
    }
    for length in [0, 1, 32, 33, bytes.len() - 1] {
        forged.push((format!("{length} bytes"), BASE64_URL_SAFE_NO_PAD.encode(&bytes[..length])));
    }
    forged.push(("a byte more".to_owned(), BASE64_URL_SAFE_NO_PAD.encode([&bytes[..], &[0]].concat())));
    for other in [format!("{cursor}="), format!("{cursor}%00"), format!("{cursor},{cursor}"), "%ff".to_owned()] {
        forged.push(("another shape".to_owned(), other));
    }
    forged.push(("far too long".to_owned(), "A".repeat(4_000)));
    forged
}
