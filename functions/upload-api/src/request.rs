use api::{
    CompleteUploadRequest, MAX_IDEMPOTENCY_KEY_CHARACTERS, MAX_PARTS, Problem, SignPartsRequest, UploadPart,
    UploadRequest,
};
use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use domain::{
    media::{Intent, Kind},
    upload::{Declaration, PART_BYTES, UploadId, max_bytes},
};
use rest_kit::request::{json_body, only_parameters};

use crate::upload_handle::UploadHandle;

/// The limit of a body: a declaration with file name and post, or 128 parts with checksums.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// The largest upload needs all parts.
const _: () = assert!(MAX_PARTS as u64 == max_bytes(Kind::Audio).div_ceil(PART_BYTES));

/// A request of a client.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// `POST /v1/uploads`
    Start { declaration: Declaration, in_parts: bool, idempotency_key: Option<String> },
    /// `GET /v1/uploads/{handle}`
    Progress { id: UploadId, handle: String },
    /// `POST /v1/uploads/{id}/parts`
    SignParts { id: UploadId, handle: String, parts: Vec<UploadPart> },
    /// `POST /v1/uploads/{id}/complete`
    Complete { id: UploadId, handle: String },
}

impl Request {
    /// Parses a request from API Gateway (payload format 2.0).
    ///
    /// # Errors
    /// 400, 404 or 413.
    pub fn parse(request: &ApiGatewayV2httpRequest) -> Result<Self, Problem> {
        // A malformed id names no upload.
        let id = || {
            let id = request.path_parameters.get("id").and_then(|id| id.parse().ok());
            id.ok_or_else(Problem::not_found)
        };
        only_parameters(request, &[])?;
        match request.route_key.as_deref() {
            Some("POST /v1/uploads") => {
                let upload: UploadRequest = json_body(request, MAX_BODY_BYTES)?;
                let in_parts = upload.in_parts;
                let declaration = declaration(upload)?;
                Ok(Self::Start { declaration, in_parts, idempotency_key: idempotency_key(request)? })
            }
            Some("GET /v1/uploads/{handle}") => {
                let handle = request.path_parameters.get("handle").ok_or_else(Problem::not_found)?.clone();
                let id = UploadHandle::upload_id(&handle).ok_or_else(Problem::not_found)?;
                Ok(Self::Progress { id, handle })
            }
            Some("POST /v1/uploads/{id}/parts") => {
                let id = id()?;
                let SignPartsRequest { handle, parts } = json_body(request, MAX_BODY_BYTES)?;
                if !(1..=MAX_PARTS).contains(&parts.len()) {
                    return Err(Problem::invalid_request(format!("`parts` must name 1 to {MAX_PARTS} parts")));
                }
                Ok(Self::SignParts { id, handle, parts })
            }
            Some("POST /v1/uploads/{id}/complete") => {
                let id = id()?;
                let CompleteUploadRequest { handle } = json_body(request, MAX_BODY_BYTES)?;
                Ok(Self::Complete { id, handle })
            }
            _ => Err(Problem::not_found()),
        }
    }
}

fn declaration(upload: UploadRequest) -> Result<Declaration, Problem> {
    let UploadRequest { kind, content_type, size, checksum, file_name, post, visibility, in_parts: _ } = upload;
    let intent = Intent { post, visibility, file_name };
    Declaration::new(kind, &content_type, size, checksum, intent)
        .map_err(|error| Problem::invalid_request(error.to_string()))
}

fn idempotency_key(request: &ApiGatewayV2httpRequest) -> Result<Option<String>, Problem> {
    let Some(value) = request.headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().ok().filter(|text| (1..=MAX_IDEMPOTENCY_KEY_CHARACTERS).contains(&text.len()));
    let text = text.filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
    match text {
        Some(text) => Ok(Some(text.to_owned())),
        None => Err(Problem::invalid_request(format!(
            "`Idempotency-Key` must have 1 to {MAX_IDEMPOTENCY_KEY_CHARACTERS} visible ASCII characters"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use domain::media::Visibility;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const SUM: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    fn parse(route: &str, id: &str, headers: Value, body: &str) -> Result<Request, (u16, String)> {
        let request = json!({
            "version": "2.0", "routeKey": route, "rawPath": "/", "rawQueryString": "", "headers": headers,
            "pathParameters": {"id": id}, "isBase64Encoded": false, "body": body,
            "requestContext": {"http": {"method": "POST"}}
        });
        Request::parse(&serde_json::from_value(request).expect("a request"))
            .map_err(|problem| (problem.status, problem.detail.unwrap_or_default()))
    }

    fn good() -> Value {
        json!({"kind": "photo", "contentType": "image/png", "size": 1, "checksum": SUM, "visibility": "private"})
    }

    fn start(body: Value) -> Result<Request, (u16, String)> {
        parse("POST /v1/uploads", "", json!({}), &body.to_string())
    }

    #[test]
    fn file_name_is_normalised() {
        let mut body = good();
        body["fileName"] = json!("\u{1100}\u{1161}");
        let Ok(Request::Start { declaration, in_parts: false, idempotency_key: None }) = start(body) else {
            panic!("no start")
        };
        assert_eq!(declaration.intent.visibility, Visibility::Private);
        assert_eq!(declaration.intent.file_name.as_ref().map(|name| name.as_str()), Some("\u{ac00}"));
    }

    #[test]
    fn invalid_declaration_returns_400_with_the_reason() {
        let good = good();
        assert!(start(good.clone()).is_ok());
        let mut same = good.clone();
        same["size"] = json!(1.0);
        assert_eq!(start(same), start(good.clone()));
        let mut nulls = good.clone();
        for field in ["fileName", "post", "inParts"] {
            nulls[field] = Value::Null;
        }
        assert_eq!(start(nulls), start(good.clone()));
        for (field, value, reason) in [
            ("kind", json!("video"), "unknown variant"),
            ("contentType", json!("text/html"), "`contentType` of photo must be one of"),
            ("size", json!(0), "`size` of photo"),
            ("size", json!(-1), "invalid value"),
            ("size", json!(1.5), "invalid type: floating point `1.5`, expected a non-negative integer"),
            ("size", json!("1"), "invalid type"),
            ("checksum", json!("abc"), "`checksum` must be a SHA-256 in base 64"),
            ("fileName", json!("../../etc/passwd"), "must not contain /"),
            ("post", json!("a/b"), "`post` must have"),
            ("visibility", json!("everybody"), "unknown variant"),
            ("kind", json!(null), "expected"),
            ("owner", json!("jun"), "unknown field"),
        ] {
            let mut body = good.clone();
            body[field] = value.clone();
            let Err((400, detail)) = start(body) else { panic!("{field}: {value} was accepted") };
            assert!(detail.contains(reason), "{field}: {detail}");
        }
        for field in ["kind", "contentType", "size", "checksum", "visibility"] {
            let mut body = good.clone();
            body.as_object_mut().and_then(|body| body.remove(field)).expect("a field");
            assert!(matches!(start(body), Err((400, _))), "{field}");
        }
        let array = json!(["photo", "image/png", 1, SUM, "a.png", "p", "public"]).to_string();
        for body in ["", "[]", "{", "null", &array] {
            assert!(matches!(parse("POST /v1/uploads", "", json!({}), body), Err((400, _))), "{body}");
        }
        let huge = format!("{}{}", " ".repeat(MAX_BODY_BYTES), good);
        assert!(matches!(parse("POST /v1/uploads", "", json!({}), &huge), Err((413, _))));
    }

    #[test]
    fn idempotency_key_that_is_long_or_not_ascii_is_rejected() {
        let with = |key: &str| {
            let body = good().to_string();
            parse("POST /v1/uploads", "", json!({"idempotency-key": key}), &body)
        };
        let Ok(Request::Start { idempotency_key, .. }) = with("k-1") else { panic!("no start") };
        assert_eq!(idempotency_key.as_deref(), Some("k-1"));
        for key in ["", "a b", "가", &"x".repeat(256)] {
            assert!(with(key).is_err(), "{key}");
        }
    }

    #[test]
    fn request_for_an_upload_needs_a_valid_id() {
        let id = UploadId::random([1; 16]).to_string();
        let parts = json!({"handle": "h", "parts": [{"number": 1, "checksum": SUM}]}).to_string();
        assert!(parse("POST /v1/uploads/{id}/parts", &id, json!({}), &parts).is_ok());
        for parts in
            [json!([]), json!(vec![json!({"number": 1, "checksum": SUM}); 129]), json!([[1, SUM]]), json!(null)]
        {
            let parts = json!({"handle": "h", "parts": parts}).to_string();
            assert!(matches!(parse("POST /v1/uploads/{id}/parts", &id, json!({}), &parts), Err((400, _))), "{parts}");
        }
        let handle = json!({"handle": "h"}).to_string();
        assert!(parse("POST /v1/uploads/{id}/complete", &id, json!({}), &handle).is_ok());
        for id in ["", "x", "../../audio/jun"] {
            let rejected = parse("POST /v1/uploads/{id}/complete", id, json!({}), &handle);
            assert!(matches!(rejected, Err((404, _))), "{id}");
        }
        assert!(matches!(parse("$default", &id, json!({}), &handle), Err((404, _))));
    }

    proptest! {
        #[test]
        fn any_request_is_parsed_or_rejected(
            body in malformed_inputs::documents(&[
                r#"{"kind":"photo","contentType":"image/png","size":1,"checksum":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=","fileName":"a.png","post":"p","visibility":"private"}"#,
                r#"{"handle":"h","parts":[{"number":1,"checksum":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}]}"#,
                r#"{"handle":"h"}"#,
            ]),
            id in prop_oneof![Just(UploadId::random([1; 16]).to_string()), malformed_inputs::text()],
            key in "[ -~\u{80}-\u{ff}]{0,300}",
        ) {
            for route in ["POST /v1/uploads", "POST /v1/uploads/{id}/parts", "POST /v1/uploads/{id}/complete"] {
                match parse(route, &id, json!({"idempotency-key": key}), &body) {
                    Ok(Request::Start { declaration, idempotency_key, .. }) => {
                        prop_assert!((1..=max_bytes(declaration.kind)).contains(&declaration.size));
                        prop_assert_eq!(idempotency_key, Some(key.clone()));
                    }
                    Ok(Request::SignParts { parts, .. }) => prop_assert!((1..=MAX_PARTS).contains(&parts.len())),
                    Ok(Request::Complete { .. } | Request::Progress { .. }) => {}
                    Err((status, _)) => prop_assert!(matches!(status, 400 | 404 | 413), "{}", status),
                }
            }
        }
    }
}
