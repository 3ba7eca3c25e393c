use base64::{Engine, prelude::BASE64_STANDARD};
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::{PublicKeys, AccessError, cache_behavior::matches};

/// The parameters that are CloudFront's, not the file's.
const SIGNING: [&str; 5] = ["Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"];

/// What a client asks for.
#[derive(Debug, Clone, Copy)]
pub struct ViewerRequest<'a> {
    /// Scheme and host, like `https://d1.cloudfront.net`.
    pub base_url: &'a str,
    /// As it came, with a slash at its start.
    pub path: &'a str,
    /// As it came, without the question mark.
    pub query: &'a str,
    /// In seconds since 1970.
    pub now: u64,
}

/// Lets pass what is signed for, by one of `keys`, and gives the query without the signature: what
/// goes on to the origin.
pub fn check(request: ViewerRequest<'_>, keys: &PublicKeys) -> Result<String, AccessError> {
    let key_id = request.parameter("Key-Pair-Id").ok_or(AccessError::MissingKey)?;
    let key = keys.get(&key_id).ok_or(AccessError::InvalidKey)?;
    let origin_query = request.origin_query();
    let address = match origin_query.as_str() {
        "" => format!("{}{}", request.base_url, request.path),
        query => format!("{}{}?{query}", request.base_url, request.path),
    };
    let (text, statement) = match (request.parameter("Policy"), request.parameter("Expires")) {
        (Some(policy), None) => {
            let text = decode(&policy).ok_or(AccessError::MalformedPolicy)?;
            let policy: Policy = serde_json::from_slice(&text).map_err(|_| AccessError::MalformedPolicy)?;
            let [statement] = policy.statement;
            (text, statement)
        }
        (None, Some(expires)) => canned(&address, &expires)?,
        _ => return Err(AccessError::AccessDenied),
    };
    let signature = request.parameter("Signature").and_then(|text| decode(&text)).ok_or(AccessError::AccessDenied)?;
    // Without it, SHA-1 is meant, and a signature with SHA-256 is a wrong one.
    let is_sha256 = request.parameter("Hash-Algorithm").as_deref() == Some("SHA256");
    let Condition { date_less_than, date_greater_than } = statement.condition;
    let in_time = request.now < date_less_than.seconds && date_greater_than.is_none_or(|from| request.now > from.seconds);
    if is_sha256 && key.verify(&text, &signature) && in_time && matches(&statement.resource, &address) {
        Ok(origin_query)
    } else {
        Err(AccessError::AccessDenied)
    }
}

impl ViewerRequest<'_> {
    fn pairs(&self) -> impl Iterator<Item = &str> {
        self.query.split('&').filter(|pair| !pair.is_empty())
    }

    /// A parameter's value, decoded.
    fn parameter(&self, name: &str) -> Option<String> {
        let (_, value) = self.pairs().filter_map(|pair| pair.split_once('=')).find(|(known, _)| *known == name)?;
        percent_decode_str(value).decode_utf8().ok().map(Into::into)
    }

    /// The query without what is CloudFront's.
    pub fn origin_query(&self) -> String {
        let is_own = |pair: &&str| !SIGNING.contains(&pair.split_once('=').map_or(*pair, |(name, _)| name));
        self.pairs().filter(is_own).collect::<Vec<_>>().join("&")
    }
}

/// The statement that is meant, and signed, when an address says only when it expires.
fn canned(address: &str, expires: &str) -> Result<(Vec<u8>, Statement), AccessError> {
    let seconds = expires.parse().map_err(|_| AccessError::MalformedPolicy)?;
    let text = format!(
        r#"{{"Statement":[{{"Resource":"{address}","Condition":{{"DateLessThan":{{"AWS:EpochTime":{seconds}}}}}}}]}}"#
    );
    let condition = Condition { date_less_than: Epoch { seconds }, date_greater_than: None };
    Ok((text.into_bytes(), Statement { resource: address.to_owned(), condition }))
}

/// CloudFront's base 64.
fn decode(text: &str) -> Option<Vec<u8>> {
    // What CloudFront replaced is not to be there.
    if text.contains(['+', '=', '/']) {
        return None;
    }
    BASE64_STANDARD.decode(text.replace('-', "+").replace('_', "=").replace('~', "/")).ok()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    #[serde(rename = "Statement")]
    statement: [Statement; 1],
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Statement {
    resource: String,
    condition: Condition,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Condition {
    date_less_than: Epoch,
    #[serde(default)]
    date_greater_than: Option<Epoch>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Epoch {
    #[serde(rename = "AWS:EpochTime")]
    seconds: u64,
}

#[cfg(test)]
mod tests {
    use cdn_signing::{Policy, Signer};
    use proptest::prelude::*;

    use super::*;
    use crate::{KeyPair, PublicKey};

    const NOW: u64 = 1_767_290_400;
    const BASE: &str = "https://d1.cloudfront.net";

    struct Pair {
        signer: Signer,
        keys: PublicKeys,
    }

    fn pair() -> Pair {
        let pair = KeyPair::generate().expect("a pair");
        let key = PublicKey::from_pem(&pair.public).expect("a key");
        Pair {
            signer: Signer::from_pem("K1", &pair.private).expect("a signer"),
            keys: PublicKeys::from([("K1".to_owned(), key)]),
        }
    }

    fn signed(pair: &Pair, resource: &str, expires: u64) -> String {
        pair.signer.query(&Policy { resource: format!("{BASE}{resource}"), expires }).expect("a signature")
    }

    fn ask(pair: &Pair, path: &str, query: &str) -> Result<String, AccessError> {
        check(ViewerRequest { base_url: BASE, path, query, now: NOW }, &pair.keys)
    }

    #[test]
    fn what_our_signer_signs_passes() {
        let pair = pair();
        let query = signed(&pair, "/ID/0A/*", NOW + 1);
        assert_eq!(ask(&pair, "/ID/0A/8x8-h.webp", &query), Ok(String::new()));
        // The star covers the file's own query, too, which goes on.
        assert_eq!(ask(&pair, "/ID/0A/8x8-h.webp", &format!("a=b&{query}&c")), Ok("a=b&c".to_owned()));
    }

    #[test]
    fn each_thing_that_is_wrong_is_refused() {
        let pair = pair();
        let path = "/ID/0A/8x8-h.webp";
        let query = signed(&pair, "/ID/0A/*", NOW + 1);
        let without = |name: &str| -> String {
            let others = query.split('&').filter(|pair| !pair.starts_with(&format!("{name}=")));
            others.collect::<Vec<_>>().join("&")
        };
        let later = signed(&pair, "/ID/0A/*", NOW + 1_000_000);
        let policy_of = |query: &str| query.split('&').next().expect("a policy").to_owned();
        for (path, query, access_error) in [
            (path, String::new(), AccessError::MissingKey),
            (path, without("Key-Pair-Id"), AccessError::MissingKey),
            (path, query.replace("K1", "K2"), AccessError::InvalidKey),
            (path, query.replace("K1", ""), AccessError::InvalidKey),
            (path, without("Signature"), AccessError::AccessDenied),
            (path, without("Policy"), AccessError::AccessDenied),
            (path, without("Hash-Algorithm"), AccessError::AccessDenied),
            (path, query.replace("SHA256", "SHA1"), AccessError::AccessDenied),
            (path, query.replace("Policy=", "Policy=!"), AccessError::MalformedPolicy),
            (path, query.replace("Policy=", "Policy=e30_&x="), AccessError::MalformedPolicy),
            // A longer life, with the signature of the shorter one.
            (path, query.replace(&policy_of(&query), &policy_of(&later)), AccessError::AccessDenied),
            (path, format!("{query}&Expires={}", NOW + 1), AccessError::AccessDenied),
            (path, signed(&pair, "/ID/0A/*", NOW), AccessError::AccessDenied),
            (path, signed(&super::tests::pair(), "/ID/0A/*", NOW + 1), AccessError::AccessDenied),
            ("/ID/0B/8x8-h.webp", query.clone(), AccessError::AccessDenied),
            ("/OTHER/0A/8x8-h.webp", query.clone(), AccessError::AccessDenied),
        ] {
            assert_eq!(ask(&pair, path, &query), Err(access_error), "{path}?{query}");
        }
        let elsewhere = ViewerRequest { base_url: "https://d2.cloudfront.net", path, query: &query, now: NOW };
        assert_eq!(check(elsewhere, &pair.keys), Err(AccessError::AccessDenied));
    }

    #[test]
    fn a_canned_policy_is_made_of_the_address() {
        // Signed as one with a list of one address would be: the text is the same.
        let pair = pair();
        let query = signed(&pair, "/ID/0A/a.webp", NOW + 1);
        let rest = query.split_once('&').expect("a policy").1;
        let canned = format!("Expires={}&{rest}", NOW + 1);
        assert_eq!(ask(&pair, "/ID/0A/a.webp", &canned), Ok(String::new()));
        assert_eq!(ask(&pair, "/ID/0A/b.webp", &canned), Err(AccessError::AccessDenied));
        assert_eq!(ask(&pair, "/ID/0A/a.webp", &canned.replacen('&', "x&", 1)), Err(AccessError::MalformedPolicy));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_change_to_policy_or_signature_is_refused(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9~_-]") {
            let pair = pair();
            let query = signed(&pair, "/ID/0A/*", NOW + 1);
            // `Policy=…&Signature=…`: what follows is tested one by one.
            let end = query.find("&Key-Pair-Id").expect("a key id");
            let values: Vec<usize> = (0..end)
                .filter(|&at| at >= "Policy=".len())
                .filter(|&at| {
                    let start = query.find("&Signature=").expect("a signature");
                    !(start..start + "&Signature=".len()).contains(&at)
                })
                .collect();
            let at = *at.get(&values);
            let changed = format!("{}{to}{}", &query[..at], &query[at + 1..]);
            prop_assume!(changed != query);
            prop_assert!(ask(&pair, "/ID/0A/a.webp", &changed).is_err(), "{changed}");
        }
    }
}
