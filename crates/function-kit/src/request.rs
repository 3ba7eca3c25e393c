//! Requests to the REST API, as API Gateway hands them on (payload format 2.0).

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::de::DeserializeOwned;

use crate::http::Problem;

/// Who asks: the `sub` of the access token that API Gateway's JWT authorizer has verified. Nothing
/// else in a request says who somebody is.
///
/// # Errors
/// 401 if there is no such claim, or it comes from a token that is not for the API: an ID token
/// tells the app who is signed in, and gives access to nothing.
pub fn caller(request: &ApiGatewayV2httpRequest) -> Result<&str, Problem> {
    let jwt = request.request_context.authorizer.as_ref().and_then(|authorizer| authorizer.jwt.as_ref());
    let claims = &jwt.ok_or_else(Problem::unauthorized)?.claims;
    if claims.get("token_use").is_some_and(|token_use| token_use != "access") {
        return Err(Problem::unauthorized());
    }
    claims.get("sub").map(String::as_str).filter(|sub| !sub.is_empty()).ok_or_else(Problem::unauthorized)
}

/// The request's body, read as JSON, if it has at most `max_bytes`.
///
/// # Errors
/// 413 if it has more; 400 if it is not the JSON that is wanted, and why.
pub fn json_body<T: DeserializeOwned>(request: &ApiGatewayV2httpRequest, max_bytes: usize) -> Result<T, Problem> {
    let body = request.body.as_deref().unwrap_or_default();
    // Base 64 is longer than what it stands for: what is too long is not even decoded.
    let max_encoded = max_bytes.div_ceil(3).saturating_mul(4);
    if body.len() > if request.is_base64_encoded { max_encoded } else { max_bytes } {
        return Err(Problem::too_large(max_bytes));
    }
    let decoded = request.is_base64_encoded.then(|| BASE64_STANDARD.decode(body)).transpose();
    let decoded = decoded.map_err(|_| Problem::invalid_request("the body is not what its encoding says"))?;
    let bytes = decoded.as_deref().unwrap_or(body.as_bytes());
    if bytes.len() > max_bytes {
        return Err(Problem::too_large(max_bytes));
    }
    serde_json::from_slice(bytes).map_err(|error| Problem::invalid_request(format!("the body: {error}")))
}

#[cfg(test)]
mod tests {
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

    fn asked_by(claims: Value) -> Result<String, u16> {
        let request = request(json!({"jwt": {"claims": claims, "scopes": []}}), "", false);
        caller(&request).map(str::to_owned).map_err(|problem| problem.status)
    }

    fn numbers(body: &str, is_base64: bool) -> Result<Vec<u8>, u16> {
        json_body(&request(Value::Null, body, is_base64), 8).map_err(|problem| problem.status)
    }

    #[test]
    fn only_the_verified_subject_says_who_asks() {
        assert_eq!(asked_by(json!({"sub": "mina", "token_use": "access"})), Ok("mina".to_owned()));
        assert_eq!(asked_by(json!({"username": "mina", "token_use": "access"})), Err(401));
        assert_eq!(asked_by(json!({"sub": ""})), Err(401));
        assert_eq!(asked_by(json!({"sub": "mina", "token_use": "id"})), Err(401));
        for authorizer in [Value::Null, json!({}), json!({"lambda": {"sub": "mina"}})] {
            let request = request(authorizer.clone(), r#"{"sub": "mina"}"#, false);
            assert_eq!(caller(&request).map_err(|problem| problem.status), Err(401), "{authorizer}");
        }
    }

    #[test]
    fn a_body_is_bounded_plain_or_encoded() {
        assert_eq!(numbers("[1,2,3]", false), Ok(vec![1, 2, 3]));
        assert_eq!(numbers("[1,2, 3]", false), Ok(vec![1, 2, 3]));
        assert_eq!(numbers("[1, 2, 3]", false), Err(413));
        // `[1,2, 3]`, `[1, 2, 3]` and `[1,2, 3, 4]`.
        assert_eq!(numbers("WzEsMiwgM10=", true), Ok(vec![1, 2, 3]));
        assert_eq!(numbers("WzEsIDIsIDNd", true), Err(413));
        assert_eq!(numbers("WzEsMiwgMywgNF0=", true), Err(413));
    }

    #[test]
    fn what_is_not_the_wanted_json_is_refused() {
        for (body, is_base64) in
            [("", false), ("{}", false), ("[300]", false), ("[1", false), ("!", true), ("/w==", true)]
        {
            assert_eq!(numbers(body, is_base64), Err(400), "{body}");
        }
    }
}
