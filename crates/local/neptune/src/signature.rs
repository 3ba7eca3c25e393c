use axum::http::{HeaderMap, StatusCode, header::AUTHORIZATION};

use super::error_response::ErrorResponse;

/// Rejects a request without a Signature Version 4 for `neptune-db` (AWS IAM User Guide, "Elements of an AWS API request
/// signature").
///
/// Only the presence and the scope of the signature are checked; the signature itself is not verified.
pub fn check(headers: &HeaderMap) -> Result<(), ErrorResponse> {
    let denied = |message: &str| ErrorResponse::new(StatusCode::FORBIDDEN, "AccessDeniedException", message);
    let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(rest) = authorization.and_then(|text| text.strip_prefix("AWS4-HMAC-SHA256 ")) else {
        return Err(denied("Missing Authentication Token"));
    };
    let part = |name: &str| rest.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
    let (Some(credential), Some(_), Some(_)) = (part("Credential"), part("SignedHeaders"), part("Signature")) else {
        return Err(denied("The Authorization header lacks Credential, SignedHeaders or Signature"));
    };
    // <access key>/<date>/<region>/<service>/aws4_request
    let scope: Vec<_> = credential.rsplitn(5, '/').collect();
    if !matches!(scope[..], ["aws4_request", "neptune-db", _, _, _]) {
        return Err(denied("Credential should be scoped to the service neptune-db"));
    }
    if !headers.contains_key("x-amz-date") {
        return Err(denied("The header x-amz-date is missing"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=AKID/20260801/ap-northeast-2/neptune-db/aws4_request, \
                          SignedHeaders=host;x-amz-date, Signature=5d67";

    fn denied(authorization: Option<&str>, has_date: bool) -> Option<String> {
        let mut headers = HeaderMap::new();
        if let Some(text) = authorization {
            headers.insert(AUTHORIZATION, HeaderValue::from_str(text).unwrap());
        }
        if has_date {
            headers.insert("x-amz-date", HeaderValue::from_static("20260801T000000Z"));
        }
        check(&headers).err().map(|error| {
            assert_eq!((error.status, error.code), (StatusCode::FORBIDDEN, "AccessDeniedException"));
            error.message
        })
    }

    #[test]
    fn signed_request_is_accepted() {
        assert_eq!(denied(Some(SIGNED), true), None);
    }

    #[test]
    fn request_not_signed_for_neptune_is_denied() {
        assert_eq!(denied(None, true).as_deref(), Some("Missing Authentication Token"));
        for wrong in [
            "Basic eDp5".to_owned(),
            SIGNED.replace("neptune-db", "s3"),
            SIGNED.replace("Signature=", "Sign="),
            SIGNED.replace("AKID/", ""),
        ] {
            assert!(denied(Some(&wrong), true).is_some(), "{wrong}");
        }
        assert!(denied(Some(SIGNED), false).is_some(), "the date");
    }
}
