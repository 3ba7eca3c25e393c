use utoipa::ToSchema;

use super::operation::{Answer, Operation};
use crate::{CompleteUploadRequest, SignPartsRequest, SignedParts, Upload, UploadRequest};

const TAG: &str = "uploads";

/// The operations on uploads.
pub fn operations() -> Vec<Operation> {
    vec![start(), sign_parts(), complete()]
}

fn start() -> Operation {
    Operation {
        method: "post",
        path: "/v1/uploads",
        id: "startUpload",
        tag: TAG,
        summary: "Start an upload",
        description: "Declares a file and answers with what is left to do, the `way`:\n\n\
            * `put`: send the file with `method`, to `url`, with exactly these `headers`, before `expiresAt`. S3 takes \
            it once. Then get the item `mediaId`.\n\
            * `parts`: the file has more than 64 MiB. Have parts signed (`signUploadParts`), send each, then say that \
            all are there (`completeUpload`). Every part but the last has `partSize` bytes. An upload that is not \
            complete after a day is given up.\n\
            * `done`: this `Idempotency-Key` was used for this very file before, and the file is there.\n\n\
            What was declared is held: S3 refuses another type, length or checksum. The body has at most 16 KiB.",
        parameters: &["IdempotencyKey"],
        body: Some(UploadRequest::name().into()),
        answers: vec![
            answer(200, "The file is there already: `way` is `done`.", Upload::name().into()),
            answer(201, "The file is to be sent: `way` is `put` or `parts`.", Upload::name().into()),
        ],
        problems: &[400, 413, 422],
        is_open: false,
    }
}

fn sign_parts() -> Operation {
    Operation {
        method: "post",
        path: "/v1/uploads/{id}/parts",
        id: "signUploadParts",
        tag: TAG,
        summary: "Have parts of an upload signed",
        description: "As many parts at once as one likes, in any order, and again when a request has expired. The body \
            has at most 16 KiB.",
        parameters: &["UploadId"],
        body: Some(SignPartsRequest::name().into()),
        answers: vec![answer(200, "Requests that send these parts.", SignedParts::name().into())],
        problems: &[400, 404, 413],
        is_open: false,
    }
}

fn complete() -> Operation {
    Operation {
        method: "post",
        path: "/v1/uploads/{id}/complete",
        id: "completeUpload",
        tag: TAG,
        summary: "Complete an upload in parts",
        description: "Makes one file of the parts, when all have been sent. May be repeated. The body has at most 16 KiB.",
        parameters: &["UploadId"],
        body: Some(CompleteUploadRequest::name().into()),
        answers: vec![answer(200, "The file is there: `way` is `done`.", Upload::name().into())],
        problems: &[400, 404, 409, 410, 413, 422],
        is_open: false,
    }
}

fn answer(status: u16, description: &'static str, schema: String) -> Answer {
    Answer { status, description, schema: Some(schema), headers: &["Cache-Control"] }
}
