//! `cargo xtask demo`: photographs go in, variants and metadata come out; a story is told and heard;
//! people follow and like each other, and their phones tell them. All shown as it happens.

mod day;
mod drawing;
mod events;
mod metadata;
mod page;
mod story;
mod voice;

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use domain::media::{Kind, MediaId};
use http::{Method, StatusCode};
use serde_json::Value;
use stack::{
    Stack, paths,
    photographs::{self, Photograph},
    uploads::{UploadFile, Uploaded},
    users::{User, Users},
};

use events::Events;

/// How long to wait for a photograph before something must be wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// A photograph, what was made of it, and how long that took.
struct Shown {
    sent: Sent,
    name: String,
    original_bytes: usize,
    original_metadata: Vec<String>,
    item: Value,
    variants: Vec<Vec<u8>>,
    took: Duration,
}

/// Plays the demo on a deployed stack.
pub async fn run(stack: &Stack) -> Result<()> {
    let users = Users::from_stack(stack)?;
    let cast = Cast {
        stack,
        events: Events::watch(stack).await?,
        mina: users.sign_up("Mina").await?,
        jun: users.sign_up("Jun").await?,
    };
    println!("\n■ Mina and Jun sign up; Mina uploads, Jun looks on");
    let mut shown = Vec::new();
    for photograph in photographs::all()? {
        shown.push(upload(&cast, photograph).await?);
    }
    refuse(&cast).await?;
    hide(&cast).await?;
    delete(&cast, &shown).await?;
    let story = story::tell(&cast).await?;
    let day = day::play(stack).await?;

    let page = paths::root().join("target/demo/index.html");
    if let Some(folder) = page.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&page, page::render(&shown, &story.figure()?, &day)?)?;
    println!("\nTo look at rather than read: {}", page.display());
    Ok(())
}

/// Who plays, and where.
struct Cast<'a> {
    stack: &'a Stack,
    events: Events,
    mina: User,
    jun: User,
}

async fn upload(cast: &Cast<'_>, photograph: Photograph) -> Result<Shown> {
    let Photograph { name, content_type, bytes } = photograph;
    let original_bytes = bytes.len();
    let original_metadata = metadata::in_picture(&bytes);
    println!("\n■ {name}  {}", size(original_bytes as u64));
    if !original_metadata.is_empty() {
        println!("    carries {}", original_metadata.join(", "));
    }
    let file = File { kind: Kind::Photo, name: &name, content_type, bytes, visibility: "public", post: None };
    let (sent, item, took) = put(cast, &file, &cast.jun).await?;
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
    println!("    GET /v1/media/{}", sent.id);
    println!("{}", indented(&shortened(item.clone())));
    Ok(Shown { sent, name, original_bytes, original_metadata, item, variants, took })
}

/// Something that only calls itself a photograph: the client is told why it is none.
async fn refuse(cast: &Cast<'_>) -> Result<()> {
    println!("\n■ holiday.jpg, which is a text file");
    let bytes = b"<html>not a photograph</html>".to_vec();
    let file = File {
        kind: Kind::Photo,
        name: "holiday.jpg",
        content_type: "image/jpeg",
        bytes,
        visibility: "public",
        post: None,
    };
    let (_, item, _) = put(cast, &file, &cast.mina).await?;
    ensure!(item["state"] == "failed", "a text file was accepted: {item}");
    println!("{}", indented(&item));
    Ok(())
}

/// A private photograph: for others it does not exist.
async fn hide(cast: &Cast<'_>) -> Result<()> {
    let Some(Photograph { name, content_type, bytes }) = photographs::all()?.into_iter().next() else { return Ok(()) };
    println!("\n■ {name} again, as private");
    let file = File { kind: Kind::Photo, name: &name, content_type, bytes, visibility: "private", post: None };
    let (sent, item, _) = put(cast, &file, &cast.mina).await?;
    ensure!(item["state"] == "ready", "{name} was not accepted: {item}");
    let status = status(cast, &cast.jun, Method::GET, sent.id).await?;
    ensure!(status == StatusCode::NOT_FOUND, "Jun is shown what is private: {status}");
    println!("    Mina sees it, Jun is told {status}");
    Ok(())
}

/// A photograph is deleted: it is gone, and so is all that was made of it.
async fn delete(cast: &Cast<'_>, shown: &[Shown]) -> Result<()> {
    let Some(Shown { name, sent: Sent { key, id }, item, .. }) = shown.first() else { return Ok(()) };
    println!("\n■ {name} is deleted");
    let refusal = status(cast, &cast.jun, Method::DELETE, *id).await?;
    ensure!(refusal == StatusCode::NOT_FOUND, "Jun deletes what is Mina's: {refusal}");
    println!("    Jun, who would like that, is told {refusal}");
    let start = Instant::now();
    let deleted = status(cast, &cast.mina, Method::DELETE, *id).await?;
    ensure!(deleted == StatusCode::NO_CONTENT, "Mina cannot delete what is hers: {deleted}");
    loop {
        cast.events.show(key, start).await?;
        let status = status(cast, &cast.jun, Method::GET, *id).await?;
        let left = cast.stack.aws().list_objects(cast.stack.output("DerivedBucketName")?, &format!("{id}/")).await?;
        if status == StatusCode::NOT_FOUND && left.is_empty() {
            println!("    {} the API answers 404, no variant is left in the bucket", clock(start.elapsed()));
            break;
        }
        wait(start, name).await?;
    }
    let originals = cast.stack.output("OriginalsBucketName")?;
    ensure!(cast.stack.aws().list_objects(originals, key).await?.is_empty(), "the original is still there");
    for variant in list(&item["variants"]) {
        let url = variant["url"].as_str().context("a variant without URL")?;
        let answer = reqwest::get(url).await?.status();
        ensure!(!answer.is_success(), "{name} is still delivered: {answer}");
    }
    let listed = cast.mina.request(cast.stack, Method::GET, "/v1/media?fields=id&limit=100", None).await?;
    let is_listed = list(&listed["items"]).iter().any(|item| item["id"] == id.to_string());
    ensure!(!is_listed, "{name} is still in the list");
    println!("              the original is gone, no list has it, none of its addresses answers any more");
    Ok(())
}

async fn status(cast: &Cast<'_>, user: &User, method: Method, id: MediaId) -> Result<StatusCode> {
    Ok(user.send(cast.stack, method, &format!("/v1/media/{id}"), &[], None).await?.status)
}

/// Mina uploads, and `reader` waits until the API shows an outcome.
async fn put(cast: &Cast<'_>, file: &File<'_>, reader: &User) -> Result<(Sent, Value, Duration)> {
    let start = Instant::now();
    let sent = file.send(cast.stack, &cast.mina).await?;
    println!("    {} signed for and stored", clock(start.elapsed()));
    let mut known = String::new();
    loop {
        cast.events.show(&sent.key, start).await?;
        let path = format!("/v1/media/{}", sent.id);
        let answer = reader.send(cast.stack, Method::GET, &path, &[], None).await?;
        // Until the first event has arrived there is no such item.
        if answer.status.is_success() {
            let item: Value = serde_json::from_slice(&answer.body)?;
            let state = item["state"].as_str().unwrap_or_default().to_owned();
            if state != known {
                println!("    {} {state}", clock(start.elapsed()));
                known = state;
            }
            if known != "processing" {
                return Ok((sent, item, start.elapsed()));
            }
        }
        wait(start, &sent.key).await?;
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
    for files in ["/variants", "/renditions", "/waveform/files"] {
        let files = item.pointer_mut(files).and_then(Value::as_array_mut);
        for file in files.into_iter().flatten() {
            let url = file["url"].as_str().unwrap_or_default();
            let (path, signature) = url.split_once('?').map_or((url, ""), |(path, _)| (path, "?…"));
            file["url"] = format!("…/{}{signature}", path.rsplit('/').next().unwrap_or_default()).into();
        }
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
