//! `cargo xtask demo`: photographs go in, variants and metadata come out; people follow and like each
//! other, and their phones tell them. All shown as it happens.

mod day;
mod drawing;
mod events;
mod metadata;
mod page;

use std::{
    fs,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail, ensure};
use domain::media::MediaId;
use serde_json::Value;

use crate::{
    paths,
    photographs::{self, Photograph},
    stack::Stack,
};
use events::Events;

/// Whose photographs they are.
const OWNER: &str = "mina";
/// How long to wait for a photograph before something must be wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// A photograph, what was made of it, and how long that took.
struct Shown {
    name: String,
    original_bytes: usize,
    original_metadata: Vec<String>,
    item: Value,
    variants: Vec<Vec<u8>>,
    took: Duration,
}

/// Plays the demo on a deployed stack.
pub async fn run(stack: &Stack) -> Result<()> {
    let events = Events::watch(stack).await?;
    // The stack may have seen this demo before: these are other uploads, not the same again.
    let folder = format!("photo/{OWNER}/{}", SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs());
    let mut shown = Vec::new();
    for photograph in photographs::all()? {
        shown.push(upload(stack, &events, &folder, photograph).await?);
    }
    refuse(stack, &events, &folder).await?;
    delete(stack, &events, &folder, &shown).await?;
    let day = day::play(stack).await?;

    let page = paths::root().join("target/demo/index.html");
    if let Some(folder) = page.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&page, page::render(&shown, &day)?)?;
    println!("\nTo look at rather than read: {}", page.display());
    Ok(())
}

async fn upload(stack: &Stack, events: &Events, folder: &str, photograph: Photograph) -> Result<Shown> {
    let Photograph { name, content_type, bytes } = photograph;
    let original_bytes = bytes.len();
    let original_metadata = metadata::in_picture(&bytes);
    println!("\n■ {name}  {}", size(original_bytes as u64));
    if !original_metadata.is_empty() {
        println!("    carries {}", original_metadata.join(", "));
    }
    let key = format!("{folder}/{name}");
    let (item, took) = put(stack, events, &key, content_type, bytes).await?;
    ensure!(item["state"] == "ready", "{name} was not accepted: {item}");
    let mut variants = Vec::new();
    for variant in list(&item["variants"]) {
        let url = variant["url"].as_str().context("a variant without URL")?;
        let answer = reqwest::get(url).await?.error_for_status()?;
        let bytes = answer.bytes().await?.to_vec();
        println!(
            "              {:>4} × {:<4} {:<10} {:>9}",
            variant["width"].to_string(),
            variant["height"].to_string(),
            variant["type"].as_str().unwrap_or_default(),
            size(bytes.len() as u64)
        );
        variants.push(bytes);
    }
    println!("    GET /v1/media/{}", MediaId::of_key(&key));
    println!("{}", indented(&shortened(item.clone())));
    Ok(Shown { name, original_bytes, original_metadata, item, variants, took })
}

/// Something that only calls itself a photograph: the client is told why it is none.
async fn refuse(stack: &Stack, events: &Events, folder: &str) -> Result<()> {
    println!("\n■ holiday.jpg, which is a text file");
    let text = b"<html>not a photograph</html>".to_vec();
    let (item, _) = put(stack, events, &format!("{folder}/holiday.jpg"), "image/jpeg", text).await?;
    ensure!(item["state"] == "failed", "a text file was accepted: {item}");
    println!("{}", indented(&item));
    Ok(())
}

/// A photograph is deleted: it is gone, and so is all that was made of it.
async fn delete(stack: &Stack, events: &Events, folder: &str, shown: &[Shown]) -> Result<()> {
    let Some(first) = shown.first() else { return Ok(()) };
    println!("\n■ {} is deleted", first.name);
    let key = format!("{folder}/{}", first.name);
    let id = MediaId::of_key(&key);
    let start = Instant::now();
    stack.aws().delete_object(stack.output("OriginalsBucketName")?, &key).await?;
    loop {
        events.show(&key, start).await?;
        let status = reqwest::get(stack.api(&format!("/v1/media/{id}"))?).await?.status();
        let left = stack.aws().list_objects(stack.output("DerivedBucketName")?, &format!("{id}/")).await?;
        if status == 404 && left.is_empty() {
            println!("    {} the API answers 404, no variant is left", clock(start.elapsed()));
            return Ok(());
        }
        wait(start, &first.name).await?;
    }
}

/// Uploads and waits until the API shows an outcome.
async fn put(
    stack: &Stack,
    events: &Events,
    key: &str,
    content_type: &str,
    bytes: Vec<u8>,
) -> Result<(Value, Duration)> {
    let start = Instant::now();
    stack.aws().put_object(stack.output("OriginalsBucketName")?, key, content_type, bytes).await?;
    println!("    {} stored", clock(start.elapsed()));
    let url = stack.api(&format!("/v1/media/{}", MediaId::of_key(key)))?;
    let mut known = String::new();
    loop {
        events.show(key, start).await?;
        let answer = reqwest::get(&url).await?;
        // Until the first event has arrived there is no such item.
        if answer.status().is_success() {
            let item: Value = serde_json::from_slice(&answer.bytes().await?)?;
            let state = item["state"].as_str().unwrap_or_default().to_owned();
            if state != known {
                println!("    {} {state}", clock(start.elapsed()));
                known = state;
            }
            if known != "processing" {
                return Ok((item, start.elapsed()));
            }
        }
        wait(start, key).await?;
    }
}

async fn wait(start: Instant, what: &str) -> Result<()> {
    if start.elapsed() > PATIENCE {
        bail!("nothing became of {what} in {} s", PATIENCE.as_secs());
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    Ok(())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn clock(elapsed: Duration) -> String {
    format!("{:>5} ms ", elapsed.as_millis())
}

fn size(bytes: u64) -> String {
    format!("{:.1} kB", bytes as f64 / 1000.0)
}

/// The item with links cut, so that it can be read: a signed link is long.
fn shortened(mut item: Value) -> Value {
    for variant in item["variants"].as_array_mut().into_iter().flatten() {
        let file = variant["url"].as_str().and_then(|url| url.split('?').next()?.rsplit('/').next());
        variant["url"] = format!("…/{}?…", file.unwrap_or_default()).into();
    }
    item
}

/// JSON with a field, or an element of an array, on each line.
fn indented(value: &Value) -> String {
    const INDENT: &str = "        ";
    let mut text = format!("{INDENT}{{");
    for (index, (name, field)) in value.as_object().into_iter().flatten().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        text += &format!("{comma}\n{INDENT}  \"{name}\": ");
        match field.as_array() {
            Some(elements) => {
                let lines: Vec<_> = elements.iter().map(|element| format!("\n{INDENT}    {element}")).collect();
                text += &format!("[{}\n{INDENT}  ]", lines.join(","));
            }
            None => text += &field.to_string(),
        }
    }
    text + &format!("\n{INDENT}}}")
}
