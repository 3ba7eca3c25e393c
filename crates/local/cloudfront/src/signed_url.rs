use base64::{Engine, prelude::BASE64_STANDARD};
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::{AccessError, PublicKeys, cache_behavior::matches_pattern};

/// Query parameters of signed URLs, which are not forwarded to the origin.
const SIGNING_PARAMETERS: [&str; 5] = ["Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"];

/// A request of a viewer.
#[derive(Debug, Clone, Copy)]
pub struct ViewerRequest<'a> {
    /// Scheme and host, such as `https://d1.cloudfront.net`.
    pub base_url: &'a str,
    /// The encoded path, with a leading slash.
    pub path: &'a str,
    /// The encoded query string, without the question mark.
    pub query: &'a str,
    /// The current time in seconds since 1970.
    pub now: u64,
}

/// Verifies the signed URL with `keys`. Returns the query string for the origin, without the signature.
pub fn verify_signed_url(request: ViewerRequest<'_>, keys: &PublicKeys) -> Result<String, AccessError> {
    let key_id = request.parameter("Key-Pair-Id").ok_or(AccessError::MissingKey)?;
    let key = keys.get(&key_id).ok_or(AccessError::InvalidKey)?;
    let origin_query = request.origin_query();
    let url = match origin_query.as_str() {
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
        (None, Some(expires)) => canned_policy(&url, &expires)?,
        _ => return Err(AccessError::AccessDenied),
    };
    let signature = request.parameter("Signature").and_then(|text| decode(&text)).ok_or(AccessError::AccessDenied)?;
    // The default hash is SHA-1, which is not supported.
    let is_sha256 = request.parameter("Hash-Algorithm").as_deref() == Some("SHA256");
    let Condition { date_less_than, date_greater_than } = statement.condition;
    let is_valid_now =
        request.now < date_less_than.seconds && date_greater_than.is_none_or(|from| request.now > from.seconds);
    if is_sha256 && key.verify(&text, &signature) && is_valid_now && matches_pattern(&statement.resource, &url) {
        Ok(origin_query)
    } else {
        Err(AccessError::AccessDenied)
    }
}

impl ViewerRequest<'_> {
    fn pairs(&self) -> impl Iterator<Item = &str> {
        self.query.split('&').filter(|pair| !pair.is_empty())
    }

    /// The decoded value of a parameter.
    fn parameter(&self, name: &str) -> Option<String> {
        let (_, value) = self.pairs().filter_map(|pair| pair.split_once('=')).find(|(known, _)| *known == name)?;
        percent_decode_str(value).decode_utf8().ok().map(Into::into)
    }

    /// The query string without the parameters of signed URLs.
    pub fn origin_query(&self) -> String {
        let is_forwarded =
            |pair: &&str| !SIGNING_PARAMETERS.contains(&pair.split_once('=').map_or(*pair, |(name, _)| name));
        self.pairs().filter(is_forwarded).collect::<Vec<_>>().join("&")
    }
}

/// The canned policy of a URL with `Expires`: its signed text and its statement.
fn canned_policy(url: &str, expires: &str) -> Result<(Vec<u8>, Statement), AccessError> {
    let seconds = expires.parse().map_err(|_| AccessError::MalformedPolicy)?;
    let text = format!(
        r#"{{"Statement":[{{"Resource":"{url}","Condition":{{"DateLessThan":{{"AWS:EpochTime":{seconds}}}}}}}]}}"#
    );
    let condition = Condition { date_less_than: Epoch { seconds }, date_greater_than: None };
    Ok((text.into_bytes(), Statement { resource: url.to_owned(), condition }))
}

/// Decodes CloudFront's variant of base64.
fn decode(text: &str) -> Option<Vec<u8>> {
    // CloudFront's variant replaces these characters.
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
        pair.signer.signed_query(&Policy { resource: format!("{BASE}{resource}"), expires }).expect("a signature")
    }

    fn verify(pair: &Pair, path: &str, query: &str) -> Result<String, AccessError> {
        verify_signed_url(ViewerRequest { base_url: BASE, path, query, now: NOW }, &pair.keys)
    }

    #[test]
    fn url_signed_by_the_backend_is_valid() {
        let pair = pair();
        let query = signed(&pair, "/ID/0A/*", NOW + 1);
        assert_eq!(verify(&pair, "/ID/0A/8x8-h.webp", &query), Ok(String::new()));
        // The wildcard also covers the query string, which is forwarded.
        assert_eq!(verify(&pair, "/ID/0A/8x8-h.webp", &format!("a=b&{query}&c")), Ok("a=b&c".to_owned()));
    }

    #[test]
    fn invalid_urls_return_the_errors_of_cloudfront() {
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
            // A later expiry with the signature of the earlier one.
            (path, query.replace(&policy_of(&query), &policy_of(&later)), AccessError::AccessDenied),
            (path, format!("{query}&Expires={}", NOW + 1), AccessError::AccessDenied),
            (path, signed(&pair, "/ID/0A/*", NOW), AccessError::AccessDenied),
            (path, signed(&super::tests::pair(), "/ID/0A/*", NOW + 1), AccessError::AccessDenied),
            ("/ID/0B/8x8-h.webp", query.clone(), AccessError::AccessDenied),
            ("/OTHER/0A/8x8-h.webp", query.clone(), AccessError::AccessDenied),
        ] {
            assert_eq!(verify(&pair, path, &query), Err(access_error), "{path}?{query}");
        }
        let elsewhere = ViewerRequest { base_url: "https://d2.cloudfront.net", path, query: &query, now: NOW };
        assert_eq!(verify_signed_url(elsewhere, &pair.keys), Err(AccessError::AccessDenied));
    }

    #[test]
    fn canned_policy_is_derived_from_the_url() {
        // The text of the canned policy equals that of a custom policy for one URL.
        let pair = pair();
        let query = signed(&pair, "/ID/0A/a.webp", NOW + 1);
        let rest = query.split_once('&').expect("a policy").1;
        let canned = format!("Expires={}&{rest}", NOW + 1);
        assert_eq!(verify(&pair, "/ID/0A/a.webp", &canned), Ok(String::new()));
        assert_eq!(verify(&pair, "/ID/0A/b.webp", &canned), Err(AccessError::AccessDenied));
        assert_eq!(verify(&pair, "/ID/0A/a.webp", &canned.replacen('&', "x&", 1)), Err(AccessError::MalformedPolicy));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn changed_policy_or_signature_is_rejected(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9~_-]") {
            let pair = pair();
            let query = signed(&pair, "/ID/0A/*", NOW + 1);
            // `Policy=…&Signature=…`; another test covers the other parameters.
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
            prop_assert!(verify(&pair, "/ID/0A/a.webp", &changed).is_err(), "{changed}");
        }
    }
}
