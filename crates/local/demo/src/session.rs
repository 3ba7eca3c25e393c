use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use domain::media::MediaId;
use http::{Method, StatusCode};
use serde_json::Value;
use stack::{
    Stack,
    uploads::{UploadFile, Uploaded},
    users::{User, Users},
};

use super::{events::Events, format::elapsed};

/// How long processing may take.
const TIMEOUT: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The stack and the users of the demonstration.
pub struct Session<'a> {
    pub stack: &'a Stack,
    pub events: Events,
    /// Uploads files.
    pub mina: User,
    /// Reads items.
    pub jun: User,
}

impl<'a> Session<'a> {
    /// Signs the users up and subscribes to the picture events.
    pub async fn start(stack: &'a Stack) -> Result<Self> {
        let users = Users::from_stack(stack)?;
        let events = Events::subscribe(stack).await?;
        Ok(Self { stack, events, mina: users.sign_up("Mina").await?, jun: users.sign_up("Jun").await? })
    }

    /// Uploads a file as Mina and polls the item as `reader` until it is processed. Returns the upload, the item and the
    /// total duration.
    pub async fn upload(&self, file: &UploadFile<'_>, reader: &User) -> Result<(Uploaded, Value, Duration)> {
        let start = Instant::now();
        let uploaded = file.send(self.stack, &self.mina).await?;
        println!("    {} uploaded with a presigned URL", elapsed(start));
        let mut last_state = String::new();
        loop {
            self.events.print_new(&uploaded.key, start).await?;
            let path = format!("/v1/media/{}", uploaded.id);
            let response = reader.send(self.stack, Method::GET, &path, &[], None).await?;
            // The item does not exist until the first event has been processed.
            if response.status.is_success() {
                let item: Value = serde_json::from_slice(&response.body)?;
                let state = item["state"].as_str().unwrap_or_default().to_owned();
                if state != last_state {
                    println!("    {} {state}", elapsed(start));
                    last_state = state;
                }
                if last_state != "processing" {
                    return Ok((uploaded, item, start.elapsed()));
                }
            }
            pause(start, &uploaded.key).await?;
        }
    }

    /// The status of a request for an item.
    pub async fn status(&self, user: &User, method: Method, id: MediaId) -> Result<StatusCode> {
        Ok(user.send(self.stack, method, &format!("/v1/media/{id}"), &[], None).await?.status)
    }
}

/// Pauses between two polls.
///
/// # Errors
/// If the timeout is over.
pub async fn pause(start: Instant, name: &str) -> Result<()> {
    if start.elapsed() > TIMEOUT {
        bail!("{name} was not processed within {} s", TIMEOUT.as_secs());
    }
    tokio::time::sleep(POLL_INTERVAL).await;
    Ok(())
}
