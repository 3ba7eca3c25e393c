use axum::{
    body::Body,
    http::{HeaderValue, Method, StatusCode, header},
    response::Response,
};
use serde_json::json;

use super::{
    call::{CLIENT, Call},
    fault::ServiceError,
};

/// A service, as far as its errors differ from those of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    CloudFront,
    DynamoDb,
    Neptune,
    OpenSearch,
    S3,
    SecretsManager,
    Sns,
    Sqs,
    /// Calls of AWS's other JSON services.
    Json,
}

impl Service {
    fn of(call: &Call) -> Self {
        match call.service.as_str() {
            "cloudfront" => Self::CloudFront,
            "dynamodb" => Self::DynamoDb,
            "neptune-db" => Self::Neptune,
            "es" => Self::OpenSearch,
            "s3" | CLIENT => Self::S3,
            "secretsmanager" => Self::SecretsManager,
            "sns" | "iam" | "sts" => Self::Sns,
            "sqs" => Self::Sqs,
            _ => Self::Json,
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::S3 => "application/xml",
            Self::CloudFront | Self::Sns => "text/xml",
            Self::DynamoDb | Self::Sqs | Self::Json => "application/x-amz-json-1.0",
            Self::SecretsManager => "application/x-amz-json-1.1",
            Self::Neptune | Self::OpenSearch => "application/json",
        }
    }
}

/// The response of the call's service to `error`. `None` if the operation has no such error.
pub fn service_error(error: ServiceError, call: &Call, method: &Method, retry_after: Option<u16>) -> Option<Response> {
    let service = Service::of(call);
    let (status, code) = status_and_code(error, service, &call.operation)?;
    let body = match method {
        // A response to HEAD has no body: S3 returns only the status.
        &Method::HEAD => String::new(),
        _ => document(service, status, code),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).ok()?;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(service.content_type()));
    if service == Service::Sqs {
        // The code of SQS's earlier protocol, by which SDKs recognise errors.
        let query_code = format!("{};{}", query_code(code), side(status));
        response.headers_mut().insert("x-amzn-query-error", HeaderValue::from_str(&query_code).ok()?);
    }
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Some(response)
}

/// Status and code of a service's error, by its API reference. The pages are named in `docs/operations/error-codes.tsv`.
fn status_and_code(error: ServiceError, service: Service, operation: &str) -> Option<(u16, &'static str)> {
    use Service::{CloudFront, DynamoDb, Json, Neptune, OpenSearch, S3, SecretsManager, Sns, Sqs};
    let is_write = ["Batch", "Put", "Update", "Delete", "TransactWrite"].iter().any(|verb| operation.starts_with(verb))
        && operation != "BatchGetItem";
    Some(match (error, service) {
        (ServiceError::Throttled, DynamoDb | SecretsManager | Json) => (400, "ThrottlingException"),
        (ServiceError::Throttled, Sqs) => (400, "RequestThrottled"),
        (ServiceError::Throttled, CloudFront) => (400, "Throttling"),
        (ServiceError::Throttled, Sns) => (429, "Throttled"),
        (ServiceError::Throttled, S3) => (503, "SlowDown"),
        // Neptune throttles with the status of failures.
        (ServiceError::Throttled, Neptune) => (500, "ThrottlingException"),
        (ServiceError::Throttled, OpenSearch) => (429, "es_rejected_execution_exception"),

        (ServiceError::InternalError, S3 | Sns | CloudFront) => (500, "InternalError"),
        (ServiceError::InternalError, DynamoDb | Json) => (500, "InternalServerError"),
        (ServiceError::InternalError, SecretsManager) => (500, "InternalServiceError"),
        (ServiceError::InternalError, Sqs) => (500, "InternalFailure"),
        (ServiceError::InternalError, Neptune) => (500, "InternalFailureException"),
        (ServiceError::InternalError, OpenSearch) => (500, "internal_server_error"),

        (ServiceError::Unavailable, S3 | Sns | CloudFront | DynamoDb | SecretsManager | Sqs | Json) => {
            (503, "ServiceUnavailable")
        }
        (ServiceError::Unavailable, Neptune) => (500, "ServerShutdownException"),
        (ServiceError::Unavailable, OpenSearch) => (503, "unavailable_shards_exception"),

        (ServiceError::ExpiredCredentials, S3) => (400, "ExpiredToken"),
        (ServiceError::ExpiredCredentials, DynamoDb | SecretsManager | Json) => (400, "ExpiredTokenException"),
        (ServiceError::ExpiredCredentials, Sqs | Sns | CloudFront) => (403, "ExpiredToken"),

        (ServiceError::UnknownCredentials, S3) => (403, "InvalidAccessKeyId"),
        (ServiceError::UnknownCredentials, DynamoDb | SecretsManager | Json) => (400, "UnrecognizedClientException"),
        (ServiceError::UnknownCredentials, Sqs | Sns | CloudFront) => (403, "InvalidClientTokenId"),

        (ServiceError::WrongClock, S3) => (403, "RequestTimeTooSkewed"),
        (ServiceError::WrongClock, DynamoDb | SecretsManager | Json) => (400, "InvalidSignatureException"),
        (ServiceError::WrongClock, Sqs | Sns | CloudFront) => (403, "SignatureDoesNotMatch"),

        (ServiceError::AccessDenied, S3 | CloudFront) => (403, "AccessDenied"),
        (ServiceError::AccessDenied, DynamoDb | SecretsManager | Json) => (400, "AccessDeniedException"),
        (ServiceError::AccessDenied, Sqs) => (403, "AccessDenied"),
        (ServiceError::AccessDenied, Sns) => (403, "AuthorizationError"),

        // Neptune and OpenSearch have one answer to every request that IAM refuses.
        (
            ServiceError::ExpiredCredentials
            | ServiceError::UnknownCredentials
            | ServiceError::WrongClock
            | ServiceError::AccessDenied,
            Neptune,
        ) => (403, "AccessDeniedException"),
        (
            ServiceError::ExpiredCredentials
            | ServiceError::UnknownCredentials
            | ServiceError::WrongClock
            | ServiceError::AccessDenied,
            OpenSearch,
        ) => (403, "security_exception"),

        (ServiceError::KeyDenied, Sns) if operation.starts_with("Publish") => (400, "KMSAccessDenied"),
        (ServiceError::KeyDenied, Sqs) => (400, "KmsAccessDenied"),
        (ServiceError::KeyDenied, S3) => (400, "KMS.DisabledException"),
        (ServiceError::KeyDenied, SecretsManager) => (400, "DecryptionFailure"),

        (ServiceError::MissingResource, DynamoDb | SecretsManager) => (400, "ResourceNotFoundException"),
        (ServiceError::MissingResource, Sqs) => (400, "QueueDoesNotExist"),
        // A missing endpoint means that the device is gone. A topic is certain only here.
        (ServiceError::MissingResource, Sns) if operation == "PublishBatch" => (404, "NotFound"),
        (ServiceError::MissingResource, CloudFront) => (404, "NoSuchDistribution"),

        // Global tables with strong consistency between regions have another code.
        (ServiceError::Conflict, DynamoDb) if operation.starts_with("Update") => {
            (400, "ReplicatedWriteConflictException")
        }
        (ServiceError::Conflict, DynamoDb) if is_write => (400, "TransactionConflictException"),
        (ServiceError::Conflict, S3) if is_write => (409, "OperationAborted"),
        (ServiceError::KeyDenied | ServiceError::MissingResource | ServiceError::Conflict, _) => return None,
    })
}

/// The code in SQS's earlier protocol (Amazon SQS Developer Guide, "AWS JSON protocol").
fn query_code(code: &str) -> String {
    match code {
        "QueueDoesNotExist" => "AWS.SimpleQueueService.NonExistentQueue".to_owned(),
        "KmsAccessDenied" => "KMS.AccessDeniedException".to_owned(),
        code => code.to_owned(),
    }
}

fn side(status: u16) -> &'static str {
    if status >= 500 { "Receiver" } else { "Sender" }
}

fn document(service: Service, status: u16, code: &str) -> String {
    const MESSAGE: &str = "injected by the fault proxy";
    const ID: &str = "00000000-0000-4000-8000-000000000000";
    match service {
        Service::S3 => format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{MESSAGE}</Message>\
             <RequestId>{ID}</RequestId></Error>"
        ),
        Service::Sns | Service::CloudFront => {
            let side = side(status);
            format!(
                "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>{side}</Type>\
                 <Code>{code}</Code><Message>{MESSAGE}</Message></Error><RequestId>{ID}</RequestId></ErrorResponse>"
            )
        }
        Service::DynamoDb | Service::SecretsManager | Service::Sqs | Service::Json => {
            json!({"__type": format!("com.amazon.coral.service#{code}"), "message": MESSAGE}).to_string()
        }
        Service::Neptune => json!({"requestId": ID, "code": code, "detailedMessage": MESSAGE}).to_string(),
        // OpenSearch Service refuses a request before OpenSearch sees it.
        Service::OpenSearch if status == 403 => {
            json!({"Message": "User: anonymous is not authorized to perform: es:ESHttpPost"}).to_string()
        }
        Service::OpenSearch => json!({"error": {"type": code, "reason": MESSAGE}, "status": status}).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use function_kit::{error_code, failure::Kind};

    use super::*;

    /// Every error that the proxy speaks may pass, so the functions must retry it.
    #[test]
    fn each_error_is_known_as_transient() {
        let mut answers = 0;
        for error in ServiceError::ALL {
            for (service, operation) in [
                ("s3", "PutObject"),
                ("s3", "GetObject"),
                ("dynamodb", "UpdateItem"),
                ("dynamodb", "PutItem"),
                ("dynamodb", "GetItem"),
                ("sqs", "SendMessage"),
                ("sns", "Publish"),
                ("sns", "PublishBatch"),
                ("secretsmanager", "GetSecretValue"),
                ("cloudfront", "CreateInvalidation"),
                ("neptune-db", "GetPropertygraphStream"),
                ("es", "_bulk"),
            ] {
                let call = Call::new(service, operation);
                let Some((status, code)) = status_and_code(error, Service::of(&call), operation) else { continue };
                answers += 1;
                assert_eq!(error_code::kind(status, Some(code)), Kind::Transient, "{service} {code}");
                // The code is in the table: another status would not change its kind.
                assert!(error_code::reason(code).is_some() || service == "es", "{service} {code}");
            }
        }
        assert!(answers > 90, "{answers}");
    }

    #[test]
    fn error_with_another_meaning_is_not_injected() {
        let answer = |error, service, operation| {
            service_error(error, &Call::new(service, operation), &Method::POST, None).map(|response| response.status())
        };
        assert_eq!(answer(ServiceError::MissingResource, "sns", "Publish"), None, "the device would be removed");
        assert_eq!(answer(ServiceError::MissingResource, "s3", "GetObject"), None, "the original would be deleted");
        assert_eq!(answer(ServiceError::Conflict, "dynamodb", "BatchGetItem"), None);
        assert_eq!(answer(ServiceError::Conflict, "dynamodb", "PutItem"), Some(StatusCode::BAD_REQUEST));
    }
}
