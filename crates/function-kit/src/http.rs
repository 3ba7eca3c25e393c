//! Answers of the REST API.

use api::{Problem, ProblemType};
use aws_lambda_events::{
    apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse},
    encodings::Body,
};
use http::{HeaderMap, HeaderValue, header};
use serde::Serialize;
use tracing::{error, warn};

use crate::failure::{Failure, Kind};

/// Why a request has no answer of its own: the client's part, or ours.
#[derive(Debug)]
pub enum NoAnswer {
    /// The client is told what is wrong.
    Problem(Problem),
    /// The client is told that something is.
    Failure(Failure),
}

impl From<Problem> for NoAnswer {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Failure> for NoAnswer {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// The answer to `request`, whatever came of it.
pub fn answered(
    request: &ApiGatewayV2httpRequest,
    outcome: Result<ApiGatewayV2httpResponse, NoAnswer>,
) -> ApiGatewayV2httpResponse {
    match outcome {
        Ok(answer) => answer,
        Err(NoAnswer::Problem(refusal)) => problem(&refusal),
        Err(NoAnswer::Failure(failure)) => failed(request, &failure),
    }
}

/// A 200 with a JSON body.
pub fn json<T: Serialize>(value: &T) -> ApiGatewayV2httpResponse {
    answer(200, "application/json", value)
}

/// A 201 with a JSON body.
pub fn created<T: Serialize>(value: &T) -> ApiGatewayV2httpResponse {
    answer(201, "application/json", value)
}

/// A 204, which has no body.
pub fn no_content() -> ApiGatewayV2httpResponse {
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = 204;
    response
}

/// The problem as an answer, `application/problem+json`.
pub fn problem(problem: &Problem) -> ApiGatewayV2httpResponse {
    let mut response = answer(problem.status, "application/problem+json", problem);
    match problem.status {
        401 => drop(response.headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
        // In seconds.
        503 => drop(response.headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"))),
        _ => {}
    }
    response
}

/// 500 or 503, by the kind of `failure`, whose text stays inside.
fn problem_of(failure: &Failure) -> Problem {
    match failure.kind {
        Kind::Transient => ProblemType::Unavailable.into(),
        Kind::Bug => ProblemType::Internal.into(),
    }
}

/// The answer where a failure left none; logs the failure, with the route and not the path.
pub fn failed(request: &ApiGatewayV2httpRequest, failure: &Failure) -> ApiGatewayV2httpResponse {
    let route = request.route_key.as_deref().unwrap_or_default();
    match failure.kind {
        Kind::Transient => warn!(route, kind = failure.kind.as_str(), %failure, "no answer"),
        Kind::Bug => error!(route, kind = failure.kind.as_str(), %failure, "no answer"),
    }
    problem(&problem_of(failure))
}

fn answer<T: Serialize>(status: u16, content_type: &'static str, value: &T) -> ApiGatewayV2httpResponse {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    // Bodies hold URLs that expire.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let mut response = ApiGatewayV2httpResponse::default();
    (response.status_code, response.body) = match serde_json::to_string(value) {
        Ok(body) => (i64::from(status), Some(Body::Text(body))),
        // Only for types whose maps have keys that are no strings: none of ours.
        Err(_) => (500, None),
    };
    response.headers = headers;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failures_text_stays_inside() {
        let answer = problem(&problem_of(&Failure::transient("read the table", "secret")));
        assert_eq!(answer.status_code, 503);
        assert!(answer.headers.contains_key("retry-after"));
        let Some(Body::Text(body)) = answer.body else { panic!("no text") };
        assert_eq!(body, r#"{"type":"urn:iyagi:problem:unavailable","title":"Service unavailable","status":503}"#);
    }
}
