//! A private picture and a recording: signed upload, processing, delivery, list, deletion.

use std::{f64::consts::TAU, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{canary::Canary, http::content_type, waiting::wait};
use crate::{findings::Finding, session::Session};

/// A photograph.
const PICTURE: &[u8] = include_bytes!("../../../../tests/photos/고양이.jpg");

/// A file to upload.
struct File {
    kind: &'static str,
    name: &'static str,
    content_type: &'static str,
    content: Vec<u8>,
}

/// Uploads a picture and a recording, and checks what becomes of them.
pub async fn check(session: &Session, canary: &Canary<'_>, timeout: Duration) -> Vec<Finding> {
    let picture = File { kind: "photo", name: "smoke.jpg", content_type: "image/jpeg", content: PICTURE.to_vec() };
    let sound = File { kind: "audio", name: "smoke.wav", content_type: "audio/wav", content: tone() };
    let mut findings = vec![Finding::of("upload", refuses_other_content(canary, &picture).await)];
    findings.push(Finding::of("picture", processed(canary, &picture, "variants", timeout).await));
    findings.push(match is_refused(canary, &sound).await {
        Ok(true) => Finding::unknown("recording", "the API accepts none: the stack has no ffmpeg"),
        Ok(false) => Finding::of("recording", processed(canary, &sound, "renditions", timeout).await),
        Err(error) => Finding::of("recording", Err(error)),
    });
    findings.push(Finding::of("originals", originals_are_deleted(session, canary, timeout).await));
    findings
}

impl File {
    fn declaration(&self) -> Value {
        json!({
            "kind": self.kind, "contentType": self.content_type, "size": self.content.len(), "fileName": self.name,
            "checksum": BASE64_STANDARD.encode(Sha256::digest(&self.content)), "visibility": "private",
        })
    }
}

async fn start_upload(canary: &Canary<'_>, file: &File) -> Result<Value> {
    canary.call(Method::POST, "/v1/uploads", Some(&file.declaration())).await?.expect(201)
}

/// Whether the API accepts no such files.
async fn is_refused(canary: &Canary<'_>, file: &File) -> Result<bool> {
    Ok(canary.call(Method::POST, "/v1/uploads", Some(&file.declaration())).await?.status != 201)
}

/// S3 stores no other content than the declared.
async fn refuses_other_content(canary: &Canary<'_>, file: &File) -> Result<String> {
    let upload = start_upload(canary, file).await?;
    let mut longer = file.content.clone();
    longer.push(0);
    let mut changed = file.content.clone();
    if let Some(last) = changed.last_mut() {
        *last ^= 1;
    }
    for (what, content) in [("another length", longer), ("another content", changed)] {
        let status = canary.http.put_presigned(&upload, &content).await?;
        ensure!((400..500).contains(&status), "S3 returns {status} to an upload with {what}");
    }
    Ok("S3 refuses another length and another content than declared".to_owned())
}

/// Uploads a file and waits for its `files`; they are delivered with a signature only, listed, and deleted with the item.
async fn processed(canary: &Canary<'_>, file: &File, files: &str, timeout: Duration) -> Result<String> {
    let upload = start_upload(canary, file).await?;
    let status = canary.http.put_presigned(&upload, &file.content).await?;
    ensure!(status == 200, "S3 returns {status} to the upload");
    let id = upload["mediaId"].as_str().context("the upload has no media id")?;
    let path = format!("/v1/media/{id}");
    let item = wait(timeout, async || {
        let response = canary.get(&path).await?;
        Ok((response.status == 200 && response.body["state"] != "processing").then_some(response.body))
    });
    let item = item.await?.context("the item stays in processing")?;
    ensure!(item["state"] == "ready", "the item is {}: {}", item["state"], item["reason"]);
    let delivered = delivered(canary, &item[files]).await?;
    let list = canary.get(&format!("/v1/media?owner={}", canary.id)).await?.expect(200)?;
    let is_listed = list["items"].as_array().into_iter().flatten().any(|listed| listed["id"] == id);
    ensure!(is_listed, "the list of the owner lacks the item");
    canary.call(Method::DELETE, &path, None).await?.expect(204)?;
    let is_gone = wait(timeout, async || Ok((canary.get(&path).await?.status == 404).then_some(()))).await?;
    is_gone.context("the deleted item is still there")?;
    Ok(format!("{delivered} {files}, each with a signature only; listed; deleted"))
}

/// Fetches all files. Returns their number.
async fn delivered(canary: &Canary<'_>, files: &Value) -> Result<usize> {
    let files = files.as_array().filter(|files| !files.is_empty()).context("the item has no files")?;
    for file in files {
        let url = file["url"].as_str().context("a file has no URL")?;
        let response = canary.http.get(url).await?;
        let (status, kind) = (response.status().as_u16(), content_type(&response));
        let is_media = kind.starts_with("image/") || kind.starts_with("audio/") || kind.starts_with("video/");
        ensure!(status == 200 && is_media, "a file's URL returns {status} {kind}");
        let Some((unsigned, _)) = url.split_once('?') else { bail!("the URL of a private file has no signature") };
        let status = canary.http.get(unsigned).await?.status().as_u16();
        ensure!(matches!(status, 401 | 403), "a private file's URL without signature returns {status}");
    }
    Ok(files.len())
}

/// The bucket has no current original of the account.
async fn originals_are_deleted(session: &Session, canary: &Canary<'_>, timeout: Duration) -> Result<String> {
    let bucket = session.output("OriginalsBucketName")?;
    let is_empty = wait(timeout, async || {
        for kind in ["photo", "audio"] {
            let list =
                session.s3.list_objects_v2().bucket(bucket).prefix(format!("{kind}/{}/", canary.id)).send().await?;
            if !list.contents().is_empty() {
                return Ok(None);
            }
        }
        Ok(Some(()))
    });
    is_empty.await?.context("originals of deleted items are still there")?;
    Ok("deleted with their items".to_owned())
}

/// A second of a quiet tone as a WAV file: 16 bits, mono, 44.1 kHz.
fn tone() -> Vec<u8> {
    const RATE_HZ: u32 = 44_100;
    let sample = |frame: u32| (3_000.0 * (TAU * 440.0 * f64::from(frame) / f64::from(RATE_HZ)).sin()) as i16;
    let data: Vec<u8> = (0..RATE_HZ).flat_map(|frame| sample(frame).to_le_bytes()).collect();
    let length = RATE_HZ * 2;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(RATE_HZ.to_le_bytes());
    file.extend((RATE_HZ * 2).to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend(length.to_le_bytes());
    file.extend(data);
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tone_has_the_length_that_its_header_says() {
        let file = tone();
        let length = |at: usize| file.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
        assert_eq!((file.len(), length(4), length(40)), (88_244, Some(88_236), Some(88_200)));
        assert_eq!((&file[8..12], &file[36..40]), (&b"WAVE"[..], &b"data"[..]));
    }
}
