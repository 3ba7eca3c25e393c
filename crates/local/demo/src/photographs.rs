use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use domain::media::Kind;
use http::{Method, StatusCode};
use serde_json::Value;
use stack::{
    photographs::{self, Photograph},
    uploads::{UploadFile, Uploaded},
};

use super::{
    format::{elapsed, indent, list, shorten_urls, size},
    metadata,
    session::{Session, pause},
};

/// An uploaded photograph and its variants.
pub struct UploadedPhotograph {
    pub uploaded: Uploaded,
    pub name: String,
    pub original_bytes: usize,
    pub original_metadata: Vec<String>,
    /// The media item.
    pub item: Value,
    /// The contents of the variants.
    pub variants: Vec<Vec<u8>>,
    /// Time from the upload to state ready.
    pub duration: Duration,
}

/// Uploads a photograph and prints its item and variants.
pub async fn upload(session: &Session<'_>, photograph: Photograph) -> Result<UploadedPhotograph> {
    let Photograph { name, content_type, bytes } = photograph;
    let original_bytes = bytes.len();
    let original_metadata = metadata::describe(&bytes);
    println!("\n■ {name}  {}", size(original_bytes as u64));
    if !original_metadata.is_empty() {
        println!("    contains {}", original_metadata.join(", "));
    }
    let file = UploadFile { kind: Kind::Photo, name: &name, content_type, bytes, visibility: "public", post: None };
    let (uploaded, item, duration) = session.upload(&file, &session.jun).await?;
    ensure!(item["state"] == "ready", "{name} failed: {item}");
    let mut variants = Vec::new();
    for variant in list(&item["variants"]) {
        let url = variant["url"].as_str().context("a variant has no URL")?;
        let bytes = reqwest::get(url).await?.error_for_status()?.bytes().await?.to_vec();
        println!(
            "              {:>4} × {:<4} {:<10} {:>9}",
            variant["width"].to_string(),
            variant["height"].to_string(),
            variant["type"].as_str().unwrap_or_default(),
            size(bytes.len() as u64)
        );
        variants.push(bytes);
    }
    println!("    GET /v1/media/{}", uploaded.id);
    println!("{}", indent(&shorten_urls(item.clone())));
    Ok(UploadedPhotograph { uploaded, name, original_bytes, original_metadata, item, variants, duration })
}

/// Uploads a text file with the name of a photograph: the item has state failed and a reason.
pub async fn upload_invalid(session: &Session<'_>) -> Result<()> {
    println!("\n■ holiday.jpg (a text file)");
    let bytes = b"<html>not a photograph</html>".to_vec();
    let file = UploadFile {
        kind: Kind::Photo,
        name: "holiday.jpg",
        content_type: "image/jpeg",
        bytes,
        visibility: "public",
        post: None,
    };
    let (_, item, _) = session.upload(&file, &session.mina).await?;
    ensure!(item["state"] == "failed", "a text file was accepted: {item}");
    println!("{}", indent(&item));
    Ok(())
}

/// Uploads a private photograph: other users get 404.
pub async fn upload_private(session: &Session<'_>) -> Result<()> {
    let Some(Photograph { name, content_type, bytes }) = photographs::all()?.into_iter().next() else { return Ok(()) };
    println!("\n■ {name} (private)");
    let file = UploadFile { kind: Kind::Photo, name: &name, content_type, bytes, visibility: "private", post: None };
    let (uploaded, item, _) = session.upload(&file, &session.mina).await?;
    ensure!(item["state"] == "ready", "{name} failed: {item}");
    let status = session.status(&session.jun, Method::GET, uploaded.id).await?;
    ensure!(status == StatusCode::NOT_FOUND, "Jun gets {status} for a private item");
    println!("    Mina gets the item, Jun gets {status}");
    Ok(())
}

/// Deletes a photograph and waits until its variants are deleted.
pub async fn delete(session: &Session<'_>, photograph: &UploadedPhotograph) -> Result<()> {
    let UploadedPhotograph { name, uploaded: Uploaded { key, id }, item, .. } = photograph;
    println!("\n■ Deletion of {name}");
    let status = session.status(&session.jun, Method::DELETE, *id).await?;
    ensure!(status == StatusCode::NOT_FOUND, "Jun gets {status} when deleting Mina's item");
    println!("    Jun may not delete it: {status}");
    let start = Instant::now();
    let status = session.status(&session.mina, Method::DELETE, *id).await?;
    ensure!(status == StatusCode::NO_CONTENT, "Mina gets {status} when deleting her item");
    let (aws, derived) = (session.stack.aws(), session.stack.output("DerivedBucketName")?);
    loop {
        session.events.print_new(key, start).await?;
        let status = session.status(&session.jun, Method::GET, *id).await?;
        let variants = aws.list_objects(derived, &format!("{id}/")).await?;
        if status == StatusCode::NOT_FOUND && variants.is_empty() {
            println!("    {} the API returns 404, all variants are deleted", elapsed(start));
            break;
        }
        pause(start, name).await?;
    }
    let originals = session.stack.output("OriginalsBucketName")?;
    ensure!(aws.list_objects(originals, key).await?.is_empty(), "the original still exists");
    for variant in list(&item["variants"]) {
        let url = variant["url"].as_str().context("a variant has no URL")?;
        let status = reqwest::get(url).await?.status();
        ensure!(!status.is_success(), "a variant of {name} is still served: {status}");
    }
    let listed = session.mina.request(session.stack, Method::GET, "/v1/media?fields=id&limit=100", None).await?;
    let is_listed = list(&listed["items"]).iter().any(|item| item["id"] == id.to_string());
    ensure!(!is_listed, "{name} is still listed");
    println!("              the original is deleted, the item is not listed, its URLs fail");
    Ok(())
}
