use utoipa::ToSchema;

use super::operation::{Operation, Response};
use crate::{CompleteUploadRequest, SignPartsRequest, SignedParts, Upload, UploadRequest};

/// Operations on uploads.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation {
            route: "POST /v1/uploads",
            id: "startUpload",
            tag: "uploads",
            summary: "Start an upload",
            description: "Declares a file and returns the next step, `way`:\n\n\
                * `put`: send the file with `method`, to `url`, with exactly these `headers`, before `expiresAt`. S3 accepts \
                it once. Then get the item `mediaId`.\n\
                * `parts`: the file has more than 96 MiB, or `inParts` is set. Request signed parts (`signUploadParts`), send each, then complete \
                the upload (`completeUpload`). Every part but the last has `partSize` bytes. An upload expires if it is not \
                complete after three days.\n\
                * `done`: the file was already uploaded with this `Idempotency-Key`.\n\n\
                S3 rejects a file of another type, length or checksum than declared. A person may start a number of uploads \
                and declare a number of bytes a day, and have a number of uploads unfinished; a retry with the same \
                `Idempotency-Key` counts once. Beyond, the response is 429 with `Retry-After`. The body must have at most 16 KiB.",
            parameters: &["IdempotencyKey"],
            body: Some(UploadRequest::name().into()),
            responses: vec![
                Response::uncached(200, "The file was already uploaded: `way` is `done`.", Upload::name().into()),
                Response::uncached(201, "The file must be sent: `way` is `put` or `parts`.", Upload::name().into()),
            ],
            problems: &[400, 413, 422],
            ..Operation::default()
        },
        Operation {
            route: "GET /v1/uploads/{handle}",
            id: "getUpload",
            tag: "uploads",
            summary: "Get the state of an upload in parts",
            description: "Returns the parts that S3 has, so that a client can resume an upload, also after a restart. `way` \
                is `done` if the upload is complete.",
            parameters: &["UploadHandle"],
            responses: vec![Response::uncached(
                200,
                "The upload: `way` is `parts`, with `landed`, or `done`.",
                Upload::name().into(),
            )],
            problems: &[400, 404, 410, 422],
            ..Operation::default()
        },
        Operation {
            route: "POST /v1/uploads/{id}/parts",
            id: "signUploadParts",
            tag: "uploads",
            summary: "Sign parts of an upload",
            description: "Signs any number of parts in any order, and again after a signed request has expired. The body \
                must have at most 16 KiB.",
            parameters: &["UploadId"],
            body: Some(SignPartsRequest::name().into()),
            responses: vec![Response::uncached(200, "Requests that upload these parts.", SignedParts::name().into())],
            problems: &[400, 404, 413],
            ..Operation::default()
        },
        Operation {
            route: "POST /v1/uploads/{id}/complete",
            id: "completeUpload",
            tag: "uploads",
            summary: "Complete an upload in parts",
            description: "Combines the parts into one file, after all have been sent. The request may be repeated. The body \
                must have at most 16 KiB.",
            parameters: &["UploadId"],
            body: Some(CompleteUploadRequest::name().into()),
            responses: vec![Response::uncached(
                200,
                "The file has been uploaded: `way` is `done`.",
                Upload::name().into(),
            )],
            problems: &[400, 404, 409, 410, 413, 422],
            ..Operation::default()
        },
    ]
}
