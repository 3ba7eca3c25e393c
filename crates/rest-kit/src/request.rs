//! Reads requests of API Gateway HTTP APIs (payload format 2.0).

use api::{Object, Problem};
use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::de::DeserializeOwned;

/// The caller: the `sub` of the access token that API Gateway's JWT authorizer has verified. No other part of a request
/// identifies a caller.
///
/// # Errors
/// 401 without this claim, or if the token is an ID token, which grants no access to the API.
pub fn caller(request: &ApiGatewayV2httpRequest) -> Result<&str, Problem> {
    let jwt = request.request_context.authorizer.as_ref().and_then(|authorizer| authorizer.jwt.as_ref());
    let claims = &jwt.ok_or_else(Problem::unauthorized)?.claims;
    if claims.get("token_use").is_some_and(|token_use| token_use != "access") {
        return Err(Problem::unauthorized());
    }
    claims.get("sub").map(String::as_str).filter(|sub| !sub.is_empty()).ok_or_else(Problem::unauthorized)
}

/// Rejects query parameters other than `known`, because an ignored misspelling would return a wrong result.
///
/// # Errors
/// 400 if the request has another parameter.
pub fn only_parameters(request: &ApiGatewayV2httpRequest, known: &[&str]) -> Result<(), Problem> {
    match parameters(request).find(|(name, _)| !known.contains(&name.as_ref())) {
        None => Ok(()),
        Some(_) if known.is_empty() => Err(Problem::invalid_request("there are no query parameters here")),
        Some(_) => Err(Problem::invalid_request(format!("the query parameters are {}", known.join(", ")))),
    }
}

/// The request's body as a JSON object of at most `max_bytes`.
///
/// # Errors
/// 413 if it is longer; 400 with the reason if it is not the expected object.
pub fn json_body<T: DeserializeOwned>(request: &ApiGatewayV2httpRequest, max_bytes: usize) -> Result<T, Problem> {
    let body = request.body.as_deref().unwrap_or_default();
    // Checked before decoding, so that a long body costs nothing.
    let max_encoded = max_bytes.div_ceil(3).saturating_mul(4);
    if body.len() > if request.is_base64_encoded { max_encoded } else { max_bytes } {
        return Err(Problem::too_large(max_bytes));
    }
    let decoded = request.is_base64_encoded.then(|| BASE64_STANDARD.decode(body)).transpose();
    let decoded = decoded.map_err(|_| Problem::invalid_request("the body is not valid base64"))?;
    let bytes = decoded.as_deref().unwrap_or(body.as_bytes());
    if bytes.len() > max_bytes {
        return Err(Problem::too_large(max_bytes));
    }
    let object: Result<Object<T>, _> = serde_json::from_slice(bytes);
    object.map(|Object(value)| value).map_err(|error| Problem::invalid_request(format!("the body: {error}")))
}

/// The value of a query parameter. Values of a repeated parameter are joined with commas, as API Gateway does.
pub fn parameter(request: &ApiGatewayV2httpRequest, name: &str) -> Option<String> {
    let values: Vec<_> = parameters(request).filter(|(other, _)| other == name).map(|(_, value)| value).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// Names and values in the order of the request, from the raw query string: the iterator over the event's own map can
/// panic (`query_map` 0.7.0).
fn parameters(request: &ApiGatewayV2httpRequest) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(request.raw_query_string.as_deref().unwrap_or_default().as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn request(authorizer: Value, body: &str, is_base64: bool) -> ApiGatewayV2httpRequest {
        let request = json!({
            "version": "2.0", "routeKey": "PUT /v1/x", "rawPath": "/", "rawQueryString": "", "headers": {},
            "isBase64Encoded": is_base64, "body": body,
            "requestContext": {"http": {"method": "PUT"}, "authorizer": authorizer}
        });
        serde_json::from_value(request).expect("a request")
    }

    fn caller_of(claims: Value) -> Result<String, u16> {
        let request = request(json!({"jwt": {"claims": claims, "scopes": []}}), "", false);
        caller(&request).map(str::to_owned).map_err(|problem| problem.status)
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Body {
        a: u8,
    }

    fn body(text: &str, is_base64: bool) -> Result<u8, u16> {
        json_body(&request(Value::Null, text, is_base64), 8).map(|Body { a }| a).map_err(|problem| problem.status)
    }

    #[test]
    fn caller_is_the_subject_of_a_verified_access_token_only() {
        assert_eq!(caller_of(json!({"sub": "mina", "token_use": "access"})), Ok("mina".to_owned()));
        assert_eq!(caller_of(json!({"username": "mina", "token_use": "access"})), Err(401));
        assert_eq!(caller_of(json!({"sub": ""})), Err(401));
        assert_eq!(caller_of(json!({"sub": "mina", "token_use": "id"})), Err(401));
        for authorizer in [Value::Null, json!({}), json!({"lambda": {"sub": "mina"}})] {
            let request = request(authorizer.clone(), r#"{"sub": "mina"}"#, false);
            assert_eq!(caller(&request).map_err(|problem| problem.status), Err(401), "{authorizer}");
        }
    }

    #[test]
    fn body_over_the_limit_returns_413() {
        assert_eq!(body(r#"{"a":12}"#, false), Ok(12));
        assert_eq!(body(r#"{"a": 1}"#, false), Ok(1));
        assert_eq!(body(r#"{"a": 12}"#, false), Err(413));
        // `{"a":12}`, `{"a": 12}` and `{"a":12} 1234`.
        assert_eq!(body("eyJhIjoxMn0=", true), Ok(12));
        assert_eq!(body("eyJhIjogMTJ9", true), Err(413));
        assert_eq!(body("eyJhIjoxMn0gMTIzNA==", true), Err(413));
    }

    #[test]
    fn body_that_is_not_the_expected_json_returns_400() {
        for (text, is_base64) in [
            ("", false),
            ("{}", false),
            ("[1]", false),
            ("null", false),
            (r#"{"a":-1}"#, false),
            (r#"{"a":1"#, false),
            ("!", true),
            ("/w==", true),
        ] {
            assert_eq!(body(text, is_base64), Err(400), "{text}");
        }
    }

    #[test]
    fn unknown_parameter_returns_400() {
        let with = |query: Value, known: &[&str]| {
            let request = json!({
                "version": "2.0", "routeKey": "GET /v1/x", "rawPath": "/", "headers": {},
                "rawQueryString": serde_urlencoded::to_string(&query).expect("a query"), "isBase64Encoded": false, "requestContext": {"http": {"method": "GET"}}
            });
            let request = serde_json::from_value(request).expect("a request");
            only_parameters(&request, known).map_err(|problem| problem.status)
        };
        assert_eq!(with(json!({}), &[]), Ok(()));
        assert_eq!(with(json!({"a": "1"}), &["a", "b"]), Ok(()));
        assert_eq!(with(json!({"a": "1"}), &["b"]), Err(400));
        assert_eq!(with(json!({"a": ""}), &[]), Err(400));
    }

    const EVENT: &str = r#"{"version":"2.0","routeKey":"PUT /v1/x","rawPath":"/v1/x","rawQueryString":"a=1&a=2","headers":{"if-none-match":"W/\"x\"","idempotency-key":"k"},"queryStringParameters":{"a":"1,2"},"pathParameters":{"id":"x"},"isBase64Encoded":false,"body":"{\"a\":1}","requestContext":{"http":{"method":"PUT","path":"/v1/x"},"authorizer":{"jwt":{"claims":{"sub":"mina","token_use":"access","client_id":"c","scope":"aws.cognito.signin.user.admin"},"scopes":["aws.cognito.signin.user.admin"]}}}}"#;

    proptest! {
        #[test]
        fn malformed_event_is_read_or_rejected_and_has_no_other_caller(text in malformed_inputs::documents(&[EVENT])) {
            // A skipped field may be nested deeper than `Value` allows.
            let document: Option<Value> = serde_json::from_str(&text).ok();
            if let Some((request, document)) = serde_json::from_str::<ApiGatewayV2httpRequest>(&text).ok().zip(document) {
                if let Ok(caller) = caller(&request) {
                    let claims = &document["requestContext"]["authorizer"]["jwt"]["claims"];
                    prop_assert_eq!(claims["sub"].as_str(), Some(caller));
                    prop_assert!(matches!(claims["token_use"].as_str(), None | Some("access")));
                }
                let body = json_body::<Body>(&request, 64).map_err(|problem| problem.status);
                prop_assert!(matches!(body, Ok(_) | Err(400 | 413)), "{:?}", body);
                let _ = (only_parameters(&request, &["a"]), parameter(&request, "a"));
            }
        }

        #[test]
        fn malformed_body_is_read_or_rejected(bytes in malformed_inputs::bytes(&[r#"{"a":12}"#]), encoded: bool) {
            let text = if encoded { BASE64_STANDARD.encode(&bytes) } else { String::from_utf8_lossy(&bytes).into_owned() };
            let read = json_body::<Body>(&request(Value::Null, &text, encoded), 64);
            prop_assert!(matches!(read.as_ref().map_err(|problem| problem.status), Ok(_) | Err(400 | 413)));
        }
    }
}
