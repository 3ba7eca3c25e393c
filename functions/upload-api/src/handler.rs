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
    answer,
    handle::Handle,
    originals::{Completion, Originals},
    request::Request,
    signer::Signer,
};

/// What the handler uses.
pub struct Ports {
    pub originals: Originals,
    pub signer: Signer,
    pub cipher: LazyTokenCipher,
}

/// Answers one request; a failure is an answer, too.
pub async fn handle(ports: &Ports, request: &ApiGatewayV2httpRequest, now: Timestamp) -> ApiGatewayV2httpResponse {
    respond(request, answer(ports, request, now).await)
}

async fn answer(
    ports: &Ports,
    request: &ApiGatewayV2httpRequest,
    now: Timestamp,
) -> Result<ApiGatewayV2httpResponse, HandlerError> {
    let uploader = owner(request)?;
    match Request::parse(request)? {
        Request::Start { declaration, idempotency_key } => {
            let upload = start(ports, uploader, &declaration, idempotency_key.as_deref(), now).await?;
            Ok(if upload.way == UploadWay::Done { json(&upload) } else { created(&upload) })
        }
        Request::SignParts { id, handle, parts } => {
            let handle = Handle::decrypt(ports.cipher.get().await?, uploader, id, &handle)?;
            Ok(json(&sign_parts(&ports.signer, uploader, id, &handle, &parts, now).await?))
        }
        Request::Complete { id, handle } => {
            let handle = Handle::decrypt(ports.cipher.get().await?, uploader, id, &handle)?;
            complete(&ports.originals, uploader, id, &handle).await?;
            Ok(json(&done(handle.kind, uploader, id)))
        }
    }
}

/// Who asks, if they can own something: their name becomes a part of keys.
fn owner(request: &ApiGatewayV2httpRequest) -> Result<&str, Problem> {
    // Cognito's are UUIDs.
    caller(request).and_then(|caller| if caller.contains('/') { Err(Problem::unauthorized()) } else { Ok(caller) })
}

/// Signs what the uploader needs to send the file.
async fn start(
    ports: &Ports,
    uploader: &str,
    declaration: &Declaration,
    idempotency_key: Option<&str>,
    now: Timestamp,
) -> Result<Upload, HandlerError> {
    let id = match idempotency_key {
        Some(key) => UploadId::of_idempotency_key(uploader, key),
        None => UploadId::random(random()?),
    };
    let key = id.key(declaration.kind, uploader);
    // A new id has no object; that of a key may have one, from an earlier try.
    if idempotency_key.is_some()
        && let Some(metadata) = ports.originals.metadata(&key).await?
    {
        let same = declaration.matches_metadata(|name| value(&metadata, name));
        return if same { Ok(done(declaration.kind, uploader, id)) } else { Err(key_reused().into()) };
    }
    let media_id = MediaId::of_key(&key);
    let upload = if declaration.size <= MAX_SINGLE_REQUEST_BYTES {
        answer::put(id, media_id, ports.signer.put(&key, declaration, now).await?)
    } else {
        let cipher = ports.cipher.get().await?;
        let s3_upload = ports.originals.begin(&key, declaration).await?;
        let Declaration { kind, size, .. } = *declaration;
        let handle = Handle { kind, s3_upload, size, fingerprint: declaration.fingerprint() };
        answer::parts(id, media_id, handle.encrypt(cipher, uploader, id)?, size)
    };
    info!(upload_id = %id, %media_id, kind = declaration.kind.as_str(), size = declaration.size, "signed");
    Ok(upload)
}

async fn sign_parts(
    signer: &Signer,
    uploader: &str,
    id: UploadId,
    handle: &Handle,
    wanted: &[UploadPart],
    now: Timestamp,
) -> Result<SignedParts, HandlerError> {
    let key = id.key(handle.kind, uploader);
    let parts = Parts::of(handle.size);
    let mut signed = Vec::with_capacity(wanted.len());
    for (index, part) in wanted.iter().enumerate() {
        let length = parts.length(part.number).ok_or_else(|| {
            Problem::invalid_request(format!("`number` of a part must be from 1 to {}", parts.count()))
        })?;
        if wanted[..index].iter().any(|before| before.number == part.number) {
            return Err(Problem::invalid_request(format!("part {} is there twice", part.number)).into());
        }
        let place = (part.number, length);
        let request = signer.part(&key, &handle.s3_upload, place, part.checksum, now).await?;
        signed.push(answer::part(part.number, request));
    }
    Ok(SignedParts { parts: signed })
}

/// Makes the object of its parts; when it is there already, that is as good.
async fn complete(originals: &Originals, uploader: &str, id: UploadId, handle: &Handle) -> Result<(), HandlerError> {
    let key = id.key(handle.kind, uploader);
    if let Some(there) = originals.parts(&key, &handle.s3_upload).await? {
        let expected = Parts::of(handle.size);
        let is_there = |number: u64| {
            there.iter().any(|part| {
                part.part_number.and_then(|part| part.try_into().ok()) == Some(number)
                    && part.size.and_then(|size| size.try_into().ok()) == expected.length(number)
            })
        };
        let missing: Vec<_> =
            (1..=expected.count()).filter(|&number| !is_there(number)).map(|number| number.to_string()).collect();
        if !missing.is_empty() {
            return Err(incomplete(&missing.join(", ")).into());
        }
        if originals.complete(&key, &handle.s3_upload, there, handle.size).await? == Completion::Completed {
            info!(upload_id = %id, media_id = %MediaId::of_key(&key), "completed");
            return Ok(());
        }
    }
    // Completed before, by this handle or by another of the same idempotency key; or given up.
    match originals.metadata(&key).await? {
        Some(metadata) if value(&metadata, FINGERPRINT_METADATA) == Some(&handle.fingerprint) => Ok(()),
        Some(_) => Err(key_reused().into()),
        None => Err(expired().into()),
    }
}

fn done(kind: Kind, uploader: &str, id: UploadId) -> Upload {
    answer::done(id, MediaId::of_key(&id.key(kind, uploader)))
}

fn value<'a>(metadata: &'a HashMap<String, String>, name: &str) -> Option<&'a str> {
    metadata.get(name).map(String::as_str)
}

fn random() -> Result<[u8; 16], Failure> {
    let mut bits = [0; 16];
    SystemRandom::new().fill(&mut bits).map_err(|_| Failure::transient("make an id", "no randomness"))?;
    Ok(bits)
}

/// 422: the same idempotency key came with another request.
fn key_reused() -> Problem {
    ProblemType::IdempotencyKeyReused.into()
}

/// 409: not all parts are there.
fn incomplete(missing: &str) -> Problem {
    ProblemType::UploadIncomplete.with_detail(format!("missing: {missing}"))
}

/// 410: S3 has given the upload up, or what came of it has been deleted.
fn expired() -> Problem {
    ProblemType::UploadExpired.into()
}

#[cfg(test)]
mod tests;
