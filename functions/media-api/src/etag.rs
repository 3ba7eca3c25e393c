use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, header};
use sha2::{Digest, Sha256};

/// The version of the response format. After a change, clients fetch cached responses again.
const FORMAT: &str = "4";

/// An `ETag` of these parts. It is weak, since links in equal responses may have different signatures.
pub fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in [FORMAT].into_iter().chain(parts) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    format!("W/\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(&hash.finalize()[..16]))
}

/// Whether the client's `If-None-Match` contains `tag` (RFC 9110, section 13.1.2).
pub fn matches(request: &ApiGatewayV2httpRequest, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().strip_prefix("W/").unwrap_or(tag.trim()).to_owned();
    let values = request.headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|other| other.trim() == "*" || opaque(other) == opaque(tag))
}

/// A 304, which has no body.
pub fn not_modified() -> ApiGatewayV2httpResponse {
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = 304;
    response
}

/// Lets the client cache the response and revalidate it before each use. Shared caches may not store it, since each
/// request is checked for visibility.
pub fn allow_revalidation(headers: &mut HeaderMap, tag: &str) {
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("Authorization"));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn different_parts_have_different_tags() {
        assert_eq!(of(["a", "b"]), of(["a", "b"]));
        assert_ne!(of(["a", "b"]), of(["ab", ""]));
        assert_ne!(of(["a"]), of(["a", ""]));
    }

    #[test]
    fn tag_is_found_in_any_list_weak_or_not() {
        let matches = |header: &str| {
            let request = json!({
                "version": "2.0", "routeKey": "GET /v1/media", "rawPath": "/", "rawQueryString": "",
                "headers": {"if-none-match": header}, "isBase64Encoded": false, "requestContext": {"http": {"method": "GET"}}
            });
            super::matches(&serde_json::from_value(request).expect("a request"), "W/\"a\"")
        };
        for header in ["W/\"a\"", "\"a\"", "*", "\"b\", W/\"a\"", " W/\"a\" "] {
            assert!(matches(header), "{header}");
        }
        for header in ["", "a", "\"b\"", "W/\"aa\"", "W/a"] {
            assert!(!matches(header), "{header}");
        }
    }

    proptest! {
        /// Only the tag itself and the star match.
        #[test]
        fn other_if_none_match_does_not_match(header in "[\\x20-\\x7e]{0,60}|(W/)?\"[A-Za-z,*]{0,4}\"(, ?(W/)?\"[a-c]\"){0,3}") {
            let request = json!({
                "version": "2.0", "routeKey": "GET /v1/media", "rawPath": "/", "rawQueryString": "",
                "headers": {"if-none-match": header}, "isBase64Encoded": false, "requestContext": {"http": {"method": "GET"}}
            });
            let request = serde_json::from_value(request).expect("a request");
            let named = header.split(',').any(|tag| matches!(tag.trim(), "*" | "\"a\"" | "W/\"a\""));
            prop_assert_eq!(matches(&request, "W/\"a\""), named);
        }
    }
}
