//! Responses of the REST API: JSON and problem+json (RFC 9457).

use api::{Problem, ProblemType};
use aws_lambda_events::{
    apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse},
    encodings::Body,
};
use function_kit::failure::{Failure, Kind};
use http::{HeaderMap, HeaderValue, header};
use serde::Serialize;
use tracing::{error, warn};

/// Why a handler has no response: a mistake of the client, or a failure on our side.
#[derive(Debug)]
pub enum HandlerError {
    /// The client receives the problem.
    Problem(Problem),
    /// The client receives the problem, and after how many seconds the request may succeed.
    Later(Problem, i64),
    /// The client receives 500 or 503, without the text of the failure.
    Failure(Failure),
}

impl From<Problem> for HandlerError {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Failure> for HandlerError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// The response to `request`, made from what its handler returned. Logs a failure.
pub fn respond(
    request: &ApiGatewayV2httpRequest,
    result: Result<ApiGatewayV2httpResponse, HandlerError>,
) -> ApiGatewayV2httpResponse {
    match result {
        Ok(response) => response,
        Err(HandlerError::Problem(refusal)) => problem(&refusal),
        Err(HandlerError::Later(refusal, seconds)) => {
            let mut response = problem(&refusal);
            response.headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            response
        }
        Err(HandlerError::Failure(failure)) => failed(request, &failure),
    }
}

/// A 200 with a JSON body.
pub fn json<T: Serialize>(value: &T) -> ApiGatewayV2httpResponse {
    response(200, "application/json", value)
}

/// A 201 with a JSON body.
pub fn created<T: Serialize>(value: &T) -> ApiGatewayV2httpResponse {
    response(201, "application/json", value)
}

/// A 202 with a JSON body.
pub fn accepted<T: Serialize>(value: &T) -> ApiGatewayV2httpResponse {
    response(202, "application/json", value)
}

/// A 204 without a body.
pub fn no_content() -> ApiGatewayV2httpResponse {
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = 204;
    response
}

/// A problem as `application/problem+json`, with the headers that its status requires.
pub fn problem(problem: &Problem) -> ApiGatewayV2httpResponse {
    let mut response = response(problem.status, "application/problem+json", problem);
    match problem.status {
        401 => drop(response.headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
        // In seconds.
        503 => drop(response.headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"))),
        _ => {}
    }
    response
}

/// 503 or 500, by the kind of `failure`. Its text is not sent.
fn problem_of(failure: &Failure) -> Problem {
    match failure.kind {
        Kind::Transient => ProblemType::Unavailable.into(),
        Kind::Bug => ProblemType::Internal.into(),
    }
}

/// The response after a failure, which is logged with the route. The path may hold ids of users and is not logged.
pub fn failed(request: &ApiGatewayV2httpRequest, failure: &Failure) -> ApiGatewayV2httpResponse {
    let route = request.route_key.as_deref().unwrap_or_default();
    match failure.kind {
        Kind::Transient => warn!(route, kind = failure.kind.as_str(), %failure, "request failed"),
        Kind::Bug => error!(route, kind = failure.kind.as_str(), %failure, "request failed"),
    }
    problem(&problem_of(failure))
}

fn response<T: Serialize>(status: u16, content_type: &'static str, value: &T) -> ApiGatewayV2httpResponse {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    // Bodies hold URLs that expire.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let mut response = ApiGatewayV2httpResponse::default();
    (response.status_code, response.body) = match serde_json::to_string(value) {
        Ok(body) => (i64::from(status), Some(Body::Text(body))),
        // Only a map whose keys are no strings fails, and the API has none.
        Err(_) => (500, None),
    };
    response.headers = headers;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transient_failure_is_503_without_its_text() {
        let response = problem(&problem_of(&Failure::transient("read the table", "secret")));
        assert_eq!(response.status_code, 503);
        assert!(response.headers.contains_key("retry-after"));
        let Some(Body::Text(body)) = response.body else { panic!("no text") };
        assert_eq!(body, r#"{"type":"urn:iyagi:problem:unavailable","title":"Service unavailable","status":503}"#);
    }
}
