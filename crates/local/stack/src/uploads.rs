//! Files as an app sends them: declared, signed for, and sent to S3 as signed.

use anyhow::{Context, Result, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use domain::media::{Kind, MediaId};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{Stack, users::User};

/// A file that is to be sent.
#[derive(Debug, Clone)]
pub struct File<'a> {
    /// What it is for.
    pub kind: Kind,
    /// What it is services.
    pub name: &'a str,
    /// What it is.
    pub content_type: &'a str,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// `public`, `followers` or `private`.
    pub visibility: &'a str,
    /// The story that it belongs to.
    pub post: Option<&'a str>,
}

/// A file that has been sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The key of the original.
    pub key: String,
    /// The item that it becomes.
    pub id: MediaId,
}

impl File<'_> {
    /// What `POST /v1/uploads` is to be told of it.
    pub fn declaration(&self) -> Value {
        let mut declaration = json!({
            "kind": self.kind, "contentType": self.content_type, "size": self.bytes.len(),
            "checksum": checksum(&self.bytes), "fileName": self.name, "visibility": self.visibility,
        });
        if let Some(post) = self.post {
            declaration["post"] = post.into();
        }
        declaration
    }

    /// Sends it as `user`, with one request: it is not so large that it would go in parts.
    pub async fn send(&self, stack: &Stack, user: &User) -> Result<Sent> {
        let upload = user.request(stack, Method::POST, "/v1/uploads", Some(&self.request_body())).await?;
        let status = put(&upload, self.bytes.clone()).await?;
        ensure!(status.is_success(), "S3 does not take {}: {status}", self.name);
        let id = upload["id"].as_str().context("an upload without id")?;
        let media_id = upload["mediaId"].as_str().and_then(|id| id.parse().ok()).context("an upload without item")?;
        Ok(Sent { key: format!("{}/{}/{id}", self.kind, user.id), id: media_id })
    }
}

/// The SHA-256 of `bytes` in base 64.
pub fn checksum(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(Sha256::digest(bytes))
}

/// Sends `bytes` exactly as `signed` says (`method`, `url`, `headers`), without any credentials;
/// what S3 says to it.
pub async fn put(signed: &Value, bytes: Vec<u8>) -> Result<StatusCode> {
    let url = signed["url"].as_str().context("nothing was signed")?;
    let mut request = reqwest::Client::new().put(url);
    for (name, value) in signed["headers"].as_object().context("nothing was signed")? {
        // That one the client sets itself, by the body.
        if name != "content-length" {
            request = request.header(name, value.as_str().context("a header that is no text")?);
        }
    }
    Ok(request.body(bytes).send().await.context("S3 does not answer")?.status())
}
