use std::fs;

use anyhow::Result;
use stack::{Stack, paths, photographs as samples};

use super::{day, page, photographs, session::Session, story};

/// Runs the demonstration on a deployed stack.
pub async fn run(stack: &Stack) -> Result<()> {
    println!("\n■ Mina and Jun sign up. Mina uploads, Jun reads.");
    let session = Session::start(stack).await?;
    let mut uploaded = Vec::new();
    for photograph in samples::all()? {
        uploaded.push(photographs::upload(&session, photograph).await?);
    }
    photographs::upload_invalid(&session).await?;
    photographs::upload_private(&session).await?;
    if let Some(first) = uploaded.first() {
        photographs::delete(&session, first).await?;
    }
    let story = story::upload(&session).await?;
    session.events.unsubscribe().await?;
    let day = day::run(stack).await?;

    let file = paths::root().join("target/demo/index.html");
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&file, page::render(&uploaded, &story.figure()?, &day)?)?;
    println!("\nAs a page: {}", file.display());
    Ok(())
}
