use axum::{
    body::Body,
    http::{HeaderValue, Method, StatusCode, header},
    response::Response,
};
use serde_json::json;

use super::{call::Call, fault::Status};

/// An error that a service returns instead of processing a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceError {
    /// The service is overloaded or failed.
    Unavailable(Status),
    /// The credentials have expired.
    ExpiredCredentials,
}

/// The format of a service's errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    S3,
    Query,
    Json,
    Neptune,
    OpenSearch,
}

/// The error response to `call` in the format of its service, with the codes of its API reference.
pub fn service_error(service_error: ServiceError, call: &Call, method: &Method, retry_after: Option<u16>) -> Response {
    let protocol = match call.service.as_str() {
        "s3" | super::CLIENT => Protocol::S3,
        "sns" | "iam" | "sts" | "cloudfront" => Protocol::Query,
        "neptune-db" => Protocol::Neptune,
        "es" => Protocol::OpenSearch,
        _ => Protocol::Json,
    };
    let (status, code) = status_and_code(service_error, protocol, &call.service);
    let body = match method {
        // A response to HEAD has no body: S3 returns only the status.
        &Method::HEAD => String::new(),
        _ => document(protocol, status, code),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let content_type = match protocol {
        Protocol::S3 => "application/xml",
        Protocol::Query => "text/xml",
        Protocol::Json => "application/x-amz-json-1.0",
        Protocol::Neptune | Protocol::OpenSearch => "application/json",
    };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn status_and_code(service_error: ServiceError, protocol: Protocol, service: &str) -> (StatusCode, &'static str) {
    use Protocol::{Json, Neptune, OpenSearch, Query, S3};
    match (service_error, protocol) {
        (ServiceError::Unavailable(Status::TooManyRequests), protocol) => {
            let code = match protocol {
                S3 => "TooManyRequests",
                Query => "Throttled",
                Json => "ThrottlingException",
                Neptune => "TooManyRequestsException",
                OpenSearch => "es_rejected_execution_exception",
            };
            (StatusCode::TOO_MANY_REQUESTS, code)
        }
        (ServiceError::Unavailable(Status::InternalError), protocol) => {
            let code = match protocol {
                S3 | Query => "InternalError",
                Json => "InternalServerError",
                // Neptune throttles with this status.
                Neptune => "ThrottlingException",
                OpenSearch => "internal_server_error",
            };
            (StatusCode::INTERNAL_SERVER_ERROR, code)
        }
        (ServiceError::Unavailable(Status::Unavailable), protocol) => {
            let code = match protocol {
                S3 => "SlowDown",
                Query | Json => "ServiceUnavailable",
                Neptune => "InternalFailureException",
                OpenSearch => "service_unavailable",
            };
            (StatusCode::SERVICE_UNAVAILABLE, code)
        }
        (ServiceError::ExpiredCredentials, S3) => (StatusCode::BAD_REQUEST, "ExpiredToken"),
        (ServiceError::ExpiredCredentials, Json) if service != "sqs" => {
            (StatusCode::BAD_REQUEST, "ExpiredTokenException")
        }
        (ServiceError::ExpiredCredentials, Json | Query) => (StatusCode::FORBIDDEN, "ExpiredToken"),
        (ServiceError::ExpiredCredentials, Neptune) => (StatusCode::FORBIDDEN, "AccessDeniedException"),
        (ServiceError::ExpiredCredentials, OpenSearch) => (StatusCode::FORBIDDEN, "expired_token"),
    }
}

fn document(protocol: Protocol, status: StatusCode, code: &str) -> String {
    const MESSAGE: &str = "injected by the fault proxy";
    const ID: &str = "00000000-0000-4000-8000-000000000000";
    let status = status.as_u16();
    match protocol {
        Protocol::S3 => format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{MESSAGE}</Message>\
             <RequestId>{ID}</RequestId></Error>"
        ),
        Protocol::Query => {
            let side = if status >= 500 { "Receiver" } else { "Sender" };
            format!(
                "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>{side}</Type>\
                 <Code>{code}</Code><Message>{MESSAGE}</Message></Error><RequestId>{ID}</RequestId></ErrorResponse>"
            )
        }
        Protocol::Json => json!({"__type": format!("com.amazon.coral.service#{code}"), "message": MESSAGE}).to_string(),
        Protocol::Neptune => json!({"requestId": ID, "code": code, "detailedMessage": MESSAGE}).to_string(),
        Protocol::OpenSearch if status == 403 => {
            json!({"message": "The security token included in the request is expired"}).to_string()
        }
        Protocol::OpenSearch => json!({"error": {"type": code, "reason": MESSAGE}, "status": status}).to_string(),
    }
}
