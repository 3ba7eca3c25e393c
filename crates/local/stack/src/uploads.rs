//! Uploads as an app makes them: a request for a presigned URL, then a `PUT` to S3.

use anyhow::{Context, Result, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use domain::media::{Kind, MediaId};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{stack::Stack, users::User};

/// A file to upload.
#[derive(Debug, Clone)]
pub struct UploadFile<'a> {
    /// Kind of media.
    pub kind: Kind,
    /// File name.
    pub name: &'a str,
    /// Content type.
    pub content_type: &'a str,
    /// Content.
    pub bytes: Vec<u8>,
    /// `public`, `followers` or `private`.
    pub visibility: &'a str,
    /// Id of the story that it belongs to.
    pub post: Option<&'a str>,
}

/// An uploaded file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// Key of the original.
    pub key: String,
    /// Id of the media item.
    pub id: MediaId,
}

impl UploadFile<'_> {
    /// The body of `POST /v1/uploads`.
    pub fn request_body(&self) -> Value {
        let mut body = json!({
            "kind": self.kind, "contentType": self.content_type, "size": self.bytes.len(),
            "checksum": checksum(&self.bytes), "fileName": self.name, "visibility": self.visibility,
        });
        if let Some(post) = self.post {
            body["post"] = post.into();
        }
        body
    }

    /// Uploads the file as `user`, in one part.
    pub async fn send(&self, stack: &Stack, user: &User) -> Result<Uploaded> {
        let upload = user.request(stack, Method::POST, "/v1/uploads", Some(&self.request_body())).await?;
        let status = put_presigned(&upload, self.bytes.clone()).await?;
        ensure!(status.is_success(), "S3 rejects {}: {status}", self.name);
        let id = upload["id"].as_str().context("the upload has no id")?;
        let media_id =
            upload["mediaId"].as_str().and_then(|id| id.parse().ok()).context("the upload has no media id")?;
        Ok(Uploaded { key: format!("{}/{}/{id}", self.kind, user.id), id: media_id })
    }
}

/// The SHA-256 of `bytes` in base64.
pub fn checksum(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(Sha256::digest(bytes))
}

/// Uploads `bytes` with a presigned request (`url` and `headers`) and returns S3's status.
pub async fn put_presigned(signed: &Value, bytes: Vec<u8>) -> Result<StatusCode> {
    let url = signed["url"].as_str().context("the upload has no presigned request")?;
    let mut request = reqwest::Client::new().put(url);
    for (name, value) in signed["headers"].as_object().context("the upload has no presigned request")? {
        // reqwest sets it from the body.
        if name != "content-length" {
            request = request.header(name, value.as_str().context("a header is not a string")?);
        }
    }
    Ok(request.body(bytes).send().await.context("S3 does not respond")?.status())
}
