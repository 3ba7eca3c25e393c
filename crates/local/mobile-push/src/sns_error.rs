use axum::http::StatusCode;

/// An error of SNS, with the status, code and message of AWS (Amazon SNS API Reference, "Errors" of each action).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct SnsError {
    /// HTTP status.
    pub status: StatusCode,
    /// Error code.
    pub code: &'static str,
    /// The message. Clients parse the endpoint's ARN from some of them.
    pub message: String,
}

impl SnsError {
    /// 400 `InvalidParameter`: `Invalid parameter: <parameter> Reason: <reason>`.
    pub fn invalid(parameter: &str, reason: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "InvalidParameter",
            format!("Invalid parameter: {parameter} Reason: {reason}"),
        )
    }

    /// 400 `InvalidParameter` with this message.
    pub fn invalid_message(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidParameter", message)
    }

    /// 404 `NotFound`.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", format!("{what} does not exist"))
    }

    /// 400 `EndpointDisabled`.
    pub fn endpoint_disabled() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "EndpointDisabled", "Endpoint is disabled")
    }

    /// 400 `PlatformApplicationDisabled`.
    pub fn application_disabled() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "PlatformApplicationDisabled", "Platform application is disabled")
    }

    /// 403 `AuthorizationError`: IAM denies the call.
    pub fn not_authorized(principal: &str, action: &str, resource: &str) -> Self {
        let message = format!(
            "User: {principal} is not authorized to perform: SNS:{action} on resource: {resource} because no \
             identity-based policy allows the SNS:{action} action"
        );
        Self::new(StatusCode::FORBIDDEN, "AuthorizationError", message)
    }

    /// 400 `Throttling`.
    pub fn throttled() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Throttling", "Rate exceeded")
    }

    /// 500 `InternalError`.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "Internal Service Error")
    }

    /// An error with this status, code and message.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }
}
