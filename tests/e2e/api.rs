//! The read API: who sees which items, in which pages, and which requests are refused.
//!
//! Functions: upload-api, thumbnailer, metadata-writer, media-api.

mod access;
mod reads;
mod requests;
mod visibility;
mod web;

use domain::media::{Kind, MediaId};
use serde_json::Value;
use stack::{
    uploads::{UploadFile, Uploaded},
    users::User,
};

use crate::deployed::Deployed;

/// A small file that is no sound: it is processed fastest.
fn small_file<'a>(visibility: &'a str, post: Option<&'a str>) -> UploadFile<'a> {
    UploadFile {
        kind: Kind::Audio, name: "비밀.m4a", content_type: "audio/mp4", bytes: vec![1; 100], visibility, post
    }
}

/// Uploads and processes the files one after the other.
async fn upload_all(deployed: &Deployed, owner: &User, files: &[UploadFile<'_>]) -> Vec<Uploaded> {
    let mut all = Vec::new();
    for file in files {
        all.push(deployed.upload_and_process(owner, file).await.0);
    }
    all
}

/// Uploads and processes small files of these visibilities, one after the other.
async fn upload_small(deployed: &Deployed, owner: &User, visibilities: &[&str]) -> Vec<MediaId> {
    let files: Vec<_> = visibilities.iter().map(|visibility| small_file(visibility, None)).collect();
    upload_all(deployed, owner, &files).await.into_iter().map(|sent| sent.id).collect()
}

fn ids(items: &[Value]) -> Vec<MediaId> {
    items.iter().map(|item| item["id"].as_str().and_then(|id| id.parse().ok()).expect("id")).collect()
}

/// Whether `user` sees the item: 200, or a 404 like that of an unknown id.
async fn sees(deployed: &Deployed, user: &User, id: MediaId) -> bool {
    let response = deployed.get(user, &format!("/v1/media/{id}")).await;
    if response.status == 200 {
        return true;
    }
    assert_eq!(response.problem(), (404, "urn:iyagi:problem:not-found"));
    assert_eq!(response.etag, None);
    false
}
