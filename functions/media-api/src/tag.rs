use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, header};
use sha2::{Digest, Sha256};

/// Of the form of answers: another one here, and what clients keep is fetched again.
const FORM: &str = "3";

/// An `ETag`. A weak one: within an epoch, links that differ in their signature are as good.
pub fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in [FORM].into_iter().chain(parts) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    format!("W/\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(&hash.finalize()[..16]))
}

/// Whether the client has what `tag` stands for (`If-None-Match`, RFC 9110, 13.1.2).
pub fn is_known(request: &ApiGatewayV2httpRequest, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().strip_prefix("W/").unwrap_or(tag.trim()).to_owned();
    let values = request.headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|known| known.trim() == "*" || opaque(known) == opaque(tag))
}

/// A 304, which has no body.
pub fn not_modified() -> ApiGatewayV2httpResponse {
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = 304;
    response
}

/// Lets the client keep an answer and ask each time whether it still holds. Nobody between may:
/// who may see what is decided anew each time.
pub fn mark(headers: &mut HeaderMap, tag: &str) {
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
    fn what_differs_has_another_tag() {
        assert_eq!(of(["a", "b"]), of(["a", "b"]));
        assert_ne!(of(["a", "b"]), of(["ab", ""]));
        assert_ne!(of(["a"]), of(["a", ""]));
    }

    #[test]
    fn a_tag_is_found_in_any_list_weak_or_not() {
        let knows = |header: &str| {
            let request = json!({
                "version": "2.0", "routeKey": "GET /v1/media", "rawPath": "/", "rawQueryString": "",
                "headers": {"if-none-match": header}, "isBase64Encoded": false, "requestContext": {"http": {"method": "GET"}}
            });
            is_known(&serde_json::from_value(request).expect("a request"), "W/\"a\"")
        };
        for header in ["W/\"a\"", "\"a\"", "*", "\"b\", W/\"a\"", " W/\"a\" "] {
            assert!(knows(header), "{header}");
        }
        for header in ["", "a", "\"b\"", "W/\"aa\"", "W/a"] {
            assert!(!knows(header), "{header}");
        }
    }

    proptest! {
        /// What a client says it has, it has only if it says so with this very tag, or with the star.
        #[test]
        fn no_other_header_is_taken_for_the_tag(header in "[\\x20-\\x7e]{0,60}|(W/)?\"[A-Za-z,*]{0,4}\"(, ?(W/)?\"[a-c]\"){0,3}") {
            let request = json!({
                "version": "2.0", "routeKey": "GET /v1/media", "rawPath": "/", "rawQueryString": "",
                "headers": {"if-none-match": header}, "isBase64Encoded": false, "requestContext": {"http": {"method": "GET"}}
            });
            let request = serde_json::from_value(request).expect("a request");
            let named = header.split(',').any(|tag| matches!(tag.trim(), "*" | "\"a\"" | "W/\"a\""));
            prop_assert_eq!(is_known(&request, "W/\"a\""), named);
        }
    }
}
