//! The error codes of the services that functions call, and how each failure is handled.
//!
//! The code decides, not the HTTP status: DynamoDB answers a denied call, a wrong clock and an invalid request with the
//! same status 400. `docs/operations/error-codes.tsv` is the same table for operators; a test compares the two.

use crate::failure_kind::Kind;

/// Codes that are handled alike, from one source.
struct Group {
    kind: Kind,
    /// What has failed.
    reason: &'static str,
    #[cfg_attr(not(test), expect(dead_code, reason = "a test compares the table with the one for operators"))]
    service: &'static str,
    /// The page that documents the codes.
    #[cfg_attr(not(test), expect(dead_code, reason = "a test compares the table with the one for operators"))]
    source: &'static str,
    codes: &'static [&'static str],
}

macro_rules! groups {
    ($($kind:ident $reason:literal { $($service:literal $source:literal [$($code:literal)*])* })*) => {
        &[$($(Group {
            kind: Kind::$kind, reason: $reason, service: $service, source: $source, codes: &[$($code),*],
        }),*),*]
    };
}

/// A permission, key, clock or resource may be mended, or may spread, while a message is retried. An invalid request stays
/// invalid.
const GROUPS: &[Group] = groups! {
    Transient "throttled" {
        "all services" "https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html"
            ["Throttling" "ThrottlingException" "Throttled" "ThrottledException" "RequestThrottledException" "TooManyRequestsException" "RequestLimitExceeded" "BandwidthLimitExceeded" "LimitExceededException"]
        "DynamoDB" "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html"
            ["ProvisionedThroughputExceededException"]
        "DynamoDB" "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html"
            ["ThrottlingError"]
        "SQS" "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html"
            ["RequestThrottled" "OverLimit" "KmsThrottled" "KMS.ThrottlingException"]
        "SNS" "https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"
            ["KMSThrottling"]
        "S3" "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
            ["SlowDown" "TooManyRequests"]
        "Neptune" "https://docs.aws.amazon.com/neptune/latest/userguide/errors-engine-codes.html"
            ["MemoryLimitExceededException" "QueryLimitExceededException" "QueryLimitException"]
        "CloudFront" "https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html"
            ["TooManyInvalidationsInProgress"]
        "OpenSearch" "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/handling-errors.html"
            ["es_rejected_execution_exception" "rejected_execution_exception" "circuit_breaking_exception" "cluster_block_exception" "index_create_block_exception"]
    }
    Transient "failed or too slow" {
        "all services" "https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html"
            ["InternalFailure" "InternalError" "InternalServerError" "InternalServiceError" "ServiceUnavailable" "ServiceUnavailableException" "RequestAbortedException" "RequestTimeoutException"]
        "S3" "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
            ["RequestTimeout" "IncompleteBody"]
        "KMS" "https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html"
            ["DependencyTimeoutException" "KeyUnavailableException" "KMSInternalException"]
        "Neptune" "https://docs.aws.amazon.com/neptune/latest/userguide/errors-engine-codes.html"
            ["CancelledByUserException" "ClientTimeoutException" "FailureByQueryException" "InternalFailureException" "ServerShutdownException" "TimeLimitExceededException"]
        "Cognito" "https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminDisableUser.html"
            ["InternalErrorException"]
        "OpenSearch" "https://docs.opensearch.org/latest/troubleshoot/index/"
            ["no_shard_available_action_exception" "process_cluster_event_timeout_exception" "snapshot_in_progress_exception" "timeout_exception" "unavailable_shards_exception"]
    }
    Transient "conflict" {
        "DynamoDB" "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html"
            ["ReplicatedWriteConflictException" "TransactionConflictException" "TransactionInProgressException" "TransactionCanceledException" "ResourceInUseException"]
        "S3" "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
            ["ConditionalRequestConflict" "OperationAborted"]
        "Neptune" "https://docs.aws.amazon.com/neptune/latest/userguide/errors-engine-codes.html"
            ["ConcurrentModificationException" "ConstraintViolationException"]
        "SNS, SQS" "https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html"
            ["ConcurrentAccess" "ConcurrentAccessException"]
    }
    Transient "permission" {
        "all services" "https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html"
            ["AccessDenied" "AccessDeniedException" "NotAuthorized" "NotAuthorizedException" "OptInRequired"]
        "SNS" "https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"
            ["AuthorizationError" "AuthorizationErrorException" "KMSAccessDenied" "KMSOptInRequired"]
        "SQS" "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html"
            ["KmsAccessDenied" "KmsOptInRequired" "KMS.AccessDeniedException" "KMS.OptInRequired"]
        "S3" "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
            ["AccountProblem" "AllAccessDisabled"]
        "Secrets Manager" "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html"
            ["DecryptionFailure"]
        "STS" "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"
            ["RegionDisabledException"]
        "OpenSearch" "https://docs.opensearch.org/latest/security/access-control/permissions/"
            ["security_exception"]
    }
    Transient "credentials or clock" {
        "all services" "https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html"
            ["ExpiredToken" "ExpiredTokenException" "IncompleteSignature" "IncompleteSignatureException" "InvalidClientTokenId" "InvalidSignatureException" "MissingAuthenticationToken" "MissingAuthenticationTokenException" "RequestExpired" "SignatureDoesNotMatch" "UnrecognizedClientException"]
        "S3" "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
            ["AuthorizationHeaderMalformed" "InvalidAccessKeyId" "InvalidToken" "RequestTimeTooSkewed" "TokenRefreshRequired"]
        "SNS, SQS" "https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"
            ["InvalidSecurity" "InvalidSecurityException"]
        "STS" "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html"
            ["IDPCommunicationError" "InvalidIdentityToken"]
    }
    Transient "missing resource or key" {
        "all services" "https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html"
            ["NotFound" "NotFoundException" "ResourceNotFoundException"]
        "SQS" "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html"
            ["QueueDoesNotExist" "NonExistentQueue" "QueueDeletedRecently" "KmsDisabled" "KmsInvalidState" "KmsInvalidKeyUsage" "KmsNotFound" "KMS.InvalidStateException"]
        "SNS" "https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"
            ["KMSDisabled" "KMSInvalidState" "KMSNotFound"]
        "S3" "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
            ["InvalidBucketState" "InvalidObjectState" "KMS.DisabledException" "KMS.InvalidKeyUsageException" "KMS.KMSInvalidStateException" "KMS.NotFoundException" "NoSuchBucket" "NoSuchKey" "NoSuchUpload" "NoSuchVersion"]
        "KMS" "https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html"
            ["DisabledException" "InvalidKeyUsageException" "KMSInvalidStateException"]
        "Secrets Manager" "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html"
            ["InvalidRequestException"]
        "CloudFront" "https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html"
            ["NoSuchDistribution"]
        "OpenSearch" "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/handling-errors.html"
            ["index_closed_exception" "index_not_found_exception"]
    }
    Bug "invalid request" {
        "all services" "https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html"
            ["InvalidAction" "InvalidParameter" "InvalidParameterCombination" "InvalidParameterException" "InvalidParameterValue" "InvalidQueryParameter" "MalformedHttpRequestException" "MalformedQueryString" "MissingAction" "MissingParameter" "RequestEntityTooLargeException" "SerializationException" "UnknownOperationException" "UnsupportedOperation" "UnsupportedOperationException" "ValidationError" "ValidationException"]
        "DynamoDB" "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html"
            ["ConditionalCheckFailedException" "IdempotentParameterMismatchException" "ItemCollectionSizeLimitExceededException"]
        "SNS, SQS" "https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html"
            ["BatchEntryIdsNotDistinct" "BatchRequestTooLong" "EmptyBatchRequest" "InvalidBatchEntryId" "TooManyEntriesInBatchRequest"]
        "SQS" "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html"
            ["InvalidAddress" "InvalidAttributeName" "InvalidMessageContents" "MessageNotInflight" "ReceiptHandleIsInvalid"]
        "SNS" "https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"
            ["EndpointDisabled" "ParameterValueInvalid" "PlatformApplicationDisabled"]
        "S3" "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
            ["BadDigest" "BadRequest" "EntityTooLarge" "EntityTooSmall" "InvalidArgument" "InvalidBucketName" "InvalidDigest" "InvalidPart" "InvalidPartOrder" "InvalidRange" "InvalidRequest" "InvalidURI" "KeyTooLongError" "MalformedXML" "MetadataTooLarge" "MethodNotAllowed" "NotImplemented" "PreconditionFailed" "XAmzContentSHA256Mismatch"]
        "KMS" "https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html"
            ["IncorrectKeyException" "InvalidCiphertextException" "InvalidGrantTokenException"]
        "Neptune" "https://docs.aws.amazon.com/neptune/latest/userguide/errors-engine-codes.html"
            ["BadRequestException" "ExpiredStreamException" "IllegalArgumentException" "InvalidArgumentException" "InvalidNumericDataException" "MalformedQueryException" "MethodNotAllowedException" "MissingParameterException" "ParsingException" "PreconditionsFailedException" "QueryTooLargeException" "ReadOnlyViolationException" "StreamRecordsNotFoundException" "TooManyParametersException" "UnsupportedQueryException"]
        "CloudFront" "https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html"
            ["BatchTooLarge" "InconsistentQuantities" "MissingBody"]
        "STS" "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"
            ["MalformedPolicyDocument" "PackedPolicyTooLarge"]
        "Cognito" "https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminDeleteUser.html"
            ["UserNotFoundException"]
        "OpenSearch" "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/handling-errors.html"
            ["document_parsing_exception" "illegal_argument_exception" "json_parse_exception" "mapper_parsing_exception" "parsing_exception" "resource_already_exists_exception" "strict_dynamic_mapping_exception" "version_conflict_engine_exception" "x_content_parse_exception"]
    }
};

/// The kind of a failed call. An unknown code is decided by the HTTP status; a response without a code is transient.
///
/// `code` may have the namespace of an error's shape, as JSON bodies have (`com.amazonaws.sqs#QueueDoesNotExist`), and the
/// suffix `Exception` may be missing or added: documentation, bodies and API models differ in both.
pub fn kind(status: u16, code: Option<&str>) -> Kind {
    match code.filter(|code| !code.is_empty()) {
        Some(code) => known(code).map_or_else(|| kind_of_status(status), |group| group.kind),
        // Only a code says that the request is wrong. S3 answers a HEAD request with an expired token by 400 without a body.
        None => Kind::Transient,
    }
}

/// What has failed, for metrics and logs: `throttled`, `permission`. `None` if the code is unknown.
pub fn reason(code: &str) -> Option<&'static str> {
    known(code).map(|group| group.reason)
}

fn known(code: &str) -> Option<&'static Group> {
    let code = name(code);
    let find = |is_equal: fn(&str, &str) -> bool| {
        GROUPS.iter().find(|group| group.codes.iter().any(|known| is_equal(known, code)))
    };
    // The same name first: `InvalidRequest` of S3 is not `InvalidRequestException` of Secrets Manager.
    find(|known, code| known == code).or_else(|| find(|known, code| without_suffix(known) == without_suffix(code)))
}

/// The code without namespace, details after a colon, and prefix of SQS's query protocol.
fn name(code: &str) -> &str {
    let code = code.rsplit_once('#').map_or(code, |(_, name)| name);
    let code = code.split_once(':').map_or(code, |(name, _)| name);
    code.strip_prefix("AWS.SimpleQueueService.").unwrap_or(code)
}

fn without_suffix(code: &str) -> &str {
    code.strip_suffix("Exception").unwrap_or(code)
}

/// A wrong request stays wrong. Everything else may pass: permissions (401, 403), missing resources (404), timeouts (408),
/// conflicts (409, 412), throttling (429) and failures of the service.
fn kind_of_status(status: u16) -> Kind {
    match status {
        401 | 403 | 404 | 408 | 409 | 412 | 423 | 425 | 429 => Kind::Transient,
        400..500 => Kind::Bug,
        _ => Kind::Transient,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const FOR_OPERATORS: &str = include_str!("../../../docs/operations/error-codes.tsv");

    #[test]
    fn each_code_has_one_kind() {
        let mut kinds: BTreeMap<&str, (Kind, &str)> = BTreeMap::new();
        for group in GROUPS {
            assert!(group.source.starts_with("https://"), "{}", group.source);
            for code in group.codes {
                let entry = (group.kind, group.reason);
                let first = *kinds.entry(code).or_insert(entry);
                assert_eq!(first, entry, "{code} of {}", group.service);
                assert_eq!((kind(500, Some(code)), reason(code)), (group.kind, Some(group.reason)), "{code}");
            }
        }
        assert!(kinds.len() > 150, "{}", kinds.len());
    }

    #[test]
    fn table_for_operators_is_the_same() {
        let row = |group: &Group| {
            let (kind, codes) = (group.kind.as_str(), group.codes.join(" "));
            format!("{}\t{kind}\t{}\t{codes}\t{}\n", group.reason, group.service, group.source)
        };
        let rows: String = GROUPS.iter().map(row).collect();
        assert_eq!(FOR_OPERATORS, format!("failed\tkind\tservice\tcodes\tsource\n{rows}"));
    }

    #[test]
    fn code_is_found_in_every_form() {
        for code in [
            "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
            "com.amazon.coral.service#AccessDeniedException",
            "AccessDeniedException:http://internal.amazon.com/coral/com.amazon.coral.service/",
            "AWS.SimpleQueueService.NonExistentQueue",
            "KMSAccessDeniedException",
            "AuthorizationErrorException",
            // Of SQS, in the header of its earlier protocol, which the SDK prefers to the body's `KmsAccessDenied`.
            "KMS.AccessDeniedException",
            "KMS.DisabledException",
            "KMS.InvalidKeyUsageException",
            "KMS.InvalidStateException",
            "KMS.NotFoundException",
            "KMS.OptInRequired",
            "KMS.ThrottlingException",
        ] {
            assert_eq!(kind(400, Some(code)), Kind::Transient, "{code}");
        }
        for code in ["com.amazon.coral.validate#ValidationException", "Validation", "InvalidParameterValueException"] {
            assert_eq!(kind(400, Some(code)), Kind::Bug, "{code}");
        }
    }

    #[test]
    fn unknown_code_is_decided_by_the_status() {
        for (status, expected) in [
            (400, Kind::Bug),
            (403, Kind::Transient),
            (404, Kind::Transient),
            (413, Kind::Bug),
            (429, Kind::Transient),
            (500, Kind::Transient),
            (503, Kind::Transient),
        ] {
            assert_eq!(kind(status, Some("SomethingNew")), expected, "{status}");
        }
        assert_eq!(kind(400, None), Kind::Transient, "an expired token in a HEAD request");
        assert_eq!(kind(400, Some("InvalidRequest")), Kind::Bug);
        assert_eq!(kind(400, Some("InvalidRequestException")), Kind::Transient);
        // A longer code is another one.
        assert_eq!(kind(400, Some("NotThrottlingException")), Kind::Bug);
    }
}
