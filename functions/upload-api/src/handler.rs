use std::collections::HashMap;

use api::{Problem, ProblemType, SignedParts, Upload, UploadPart, UploadWay};
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use domain::{
    media::{Kind, MediaId},
    upload::{Declaration, FINGERPRINT_METADATA, MAX_SINGLE_REQUEST_BYTES, Parts, UploadId},
};
use function_kit::failure::Failure;
use jiff::Timestamp;
use rest_kit::{
    page_token::LazyTokenCipher,
    request::caller,
    response::{HandlerError, created, json, respond},
};
use ring::rand::{SecureRandom, SystemRandom};
use tracing::info;

use crate::{
    budget::Budgets,
    originals::{Completion, Originals},
    progress::progress,
    request::Request,
    response,
    signer::Signer,
    upload_handle::UploadHandle,
};

/// The services that the handler uses.
pub struct Ports {
    pub originals: Originals,
    pub signer: Signer,
    pub cipher: LazyTokenCipher,
    pub budgets: Budgets,
    /// Whether recordings are accepted.
    pub offers_audio: bool,
}

/// Handles one request. Failures are responses, too.
pub async fn handle(ports: &Ports, request: &ApiGatewayV2httpRequest, now: Timestamp) -> ApiGatewayV2httpResponse {
    respond(request, route(ports, request, now).await)
}

async fn route(
    ports: &Ports,
    request: &ApiGatewayV2httpRequest,
    now: Timestamp,
) -> Result<ApiGatewayV2httpResponse, HandlerError> {
    let uploader = owner(request)?;
    match Request::parse(request)? {
        Request::Start { declaration, .. } if declaration.kind == Kind::Audio && !ports.offers_audio => {
            // Without ffmpeg, the recording would stay `processing`.
            Err(Problem::invalid_request("`kind` `audio` is not offered by this server").into())
        }
        Request::Start { declaration, in_parts, idempotency_key } => {
            let upload = start(ports, uploader, &declaration, in_parts, idempotency_key.as_deref(), now).await?;
            Ok(if upload.way == UploadWay::Done { json(&upload) } else { created(&upload) })
        }
        Request::SignParts { id, handle, parts } => {
            let handle = UploadHandle::decrypt(&*ports.cipher.get().await?, uploader, id, &handle)?;
            Ok(json(&sign_parts(&ports.signer, uploader, id, &handle, &parts, now).await?))
        }
        Request::Progress { id, handle: text } => {
            let handle = UploadHandle::decrypt(&*ports.cipher.get().await?, uploader, id, &text)?;
            Ok(json(&progress(&ports.originals, uploader, id, &handle, text).await?))
        }
        Request::Complete { id, handle } => {
            let handle = UploadHandle::decrypt(&*ports.cipher.get().await?, uploader, id, &handle)?;
            complete(&ports.originals, uploader, id, &handle).await?;
            Ok(json(&done(handle.kind, uploader, id)))
        }
    }
}

/// The caller, if their id can be part of an object key.
fn owner(request: &ApiGatewayV2httpRequest) -> Result<&str, Problem> {
    // Ids of Cognito are UUIDs.
    caller(request).and_then(|caller| if caller.contains('/') { Err(Problem::unauthorized()) } else { Ok(caller) })
}

/// Starts an upload: signs the request, or creates a multipart upload.
async fn start(
    ports: &Ports,
    uploader: &str,
    declaration: &Declaration,
    in_parts: bool,
    idempotency_key: Option<&str>,
    now: Timestamp,
) -> Result<Upload, HandlerError> {
    let id = match idempotency_key {
        Some(key) => UploadId::of_idempotency_key(uploader, key),
        None => UploadId::random(random()?),
    };
    let key = id.key(declaration.kind, uploader);
    // The object of an idempotency key may exist from an earlier attempt. A random id has no object.
    if idempotency_key.is_some()
        && let Some(metadata) = ports.originals.metadata(&key).await?
    {
        let is_same = declaration.matches_metadata(|name| value(&metadata, name));
        return if is_same { Ok(done(declaration.kind, uploader, id)) } else { Err(key_reused().into()) };
    }
    let media_id = MediaId::of_key(&key);
    let lane = ports.budgets.take(uploader, (declaration.kind, media_id), declaration.size, now).await?;
    let lane = lane.map_err(|exceeded| HandlerError::Later(exceeded.problem(), exceeded.retry_after))?;
    let declaration = &Declaration { lane, ..declaration.clone() };
    let upload = if declaration.size <= MAX_SINGLE_REQUEST_BYTES && !in_parts {
        response::put(id, media_id, ports.signer.put(&key, declaration, now).await?)
    } else {
        let cipher = ports.cipher.get().await?;
        let s3_upload = ports.originals.start(&key, declaration).await?;
        let Declaration { kind, size, .. } = *declaration;
        let handle = UploadHandle { kind, s3_upload, size, fingerprint: declaration.fingerprint() };
        response::parts(id, media_id, handle.encrypt(&cipher, uploader, id)?, size)
    };
    info!(upload_id = %id, %media_id, kind = declaration.kind.as_ref(), size = declaration.size, "signed");
    Ok(upload)
}

async fn sign_parts(
    signer: &Signer,
    uploader: &str,
    id: UploadId,
    handle: &UploadHandle,
    requested: &[UploadPart],
    now: Timestamp,
) -> Result<SignedParts, HandlerError> {
    let key = id.key(handle.kind, uploader);
    let parts = Parts::of(handle.size);
    let mut signed = Vec::with_capacity(requested.len());
    for (index, part) in requested.iter().enumerate() {
        let length = parts.length(part.number).ok_or_else(|| {
            Problem::invalid_request(format!("`number` of a part must be from 1 to {}", parts.count()))
        })?;
        if requested[..index].iter().any(|earlier| earlier.number == part.number) {
            return Err(Problem::invalid_request(format!("part {} is listed twice", part.number)).into());
        }
        let number_and_size = (part.number, length);
        let request = signer.part(&key, &handle.s3_upload, number_and_size, part.checksum, now).await?;
        signed.push(response::part(part.number, request));
    }
    Ok(SignedParts { parts: signed })
}

/// Completes a multipart upload. An upload that is complete already is not an error.
async fn complete(
    originals: &Originals,
    uploader: &str,
    id: UploadId,
    handle: &UploadHandle,
) -> Result<(), HandlerError> {
    let key = id.key(handle.kind, uploader);
    if let Some(received) = originals.parts(&key, &handle.s3_upload).await? {
        let expected = Parts::of(handle.size);
        let is_received = |number: u64| {
            received.iter().any(|part| {
                part.part_number.and_then(|part| part.try_into().ok()) == Some(number)
                    && part.size.and_then(|size| size.try_into().ok()) == expected.length(number)
            })
        };
        let missing: Vec<_> =
            (1..=expected.count()).filter(|&number| !is_received(number)).map(|number| number.to_string()).collect();
        if !missing.is_empty() {
            let detail = format!("missing: {}", missing.join(", "));
            return Err(ProblemType::UploadIncomplete.with_detail(detail).into());
        }
        if originals.complete(&key, &handle.s3_upload, received, handle.size).await? == Completion::Completed {
            info!(upload_id = %id, media_id = %MediaId::of_key(&key), "completed");
            return Ok(());
        }
    }
    // The upload was completed before, by this handle or another one of the same idempotency key, or it was aborted.
    match originals.metadata(&key).await? {
        Some(metadata) if value(&metadata, FINGERPRINT_METADATA) == Some(&handle.fingerprint) => Ok(()),
        Some(_) => Err(key_reused().into()),
        // The upload was aborted, or its object has been deleted.
        None => Err(Problem::from(ProblemType::UploadExpired).into()),
    }
}

fn done(kind: Kind, uploader: &str, id: UploadId) -> Upload {
    response::done(id, MediaId::of_key(&id.key(kind, uploader)))
}

fn value<'a>(metadata: &'a HashMap<String, String>, name: &str) -> Option<&'a str> {
    metadata.get(name).map(String::as_str)
}

fn random() -> Result<[u8; 16], Failure> {
    let mut bits = [0; 16];
    SystemRandom::new().fill(&mut bits).map_err(|_| Failure::transient("generate an id", "no random bytes"))?;
    Ok(bits)
}

/// 422: the idempotency key was used for another declaration.
fn key_reused() -> Problem {
    ProblemType::IdempotencyKeyReused.into()
}

#[cfg(test)]
mod tests;
