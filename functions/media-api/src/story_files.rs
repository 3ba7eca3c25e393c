//! Gives the files of stories the visibility of their story, from a queue.
//!
//! ```text
//! push-fanout ─ a story's visibility or author has changed ─┐
//!                                                           ├─▶ story-files-queue ─▶ Story: lists the files ─┐
//! metadata-writer ─ a file of a post was stored ────────────┘          ▲      └────▶ File: compares, copies  │
//!                                                                      └─────── File for each, next page ◀──┘
//! ```
//! A message names what to look at, and nothing else. Each copy causes an event, after which `metadata-writer` sends its item
//! again: so the last copy of an original is always followed by a look at the story.

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use domain::{
    media::{MediaId, MediaItem, Post, Relation, State},
    story_files::{DrivingStory, MAX_PAGES, NextPage, StoryFiles, StoryPage},
};
use function_kit::{batch::Queue, failure::Failure};
use store::media::{List, Order, Page, Projection, Selection, SortKey};
use tracing::info;

use crate::{
    handler::Ports,
    originals::{Copied, Head},
    visibility::{Objects, Outcome, Stories, change, visibility_of_story},
};

/// Files in a page. Each becomes a message.
const FILES_PER_PAGE: usize = 100;
/// The most messages that SQS takes in one call.
const MESSAGES_PER_CALL: usize = 10;
/// The second pass follows after this time, in seconds: longer than the index lags behind its table.
const SECOND_PASS_DELAY: i32 = 60;
/// How often a file is compared in one message, while its story changes.
const MAX_ATTEMPTS: usize = 5;

/// Consumes a message of the queue.
///
/// # Errors
/// If the message is unreadable, or a service fails.
pub async fn consume(ports: &Ports, queue: &Queue, body: &str) -> Result<(), Failure> {
    // Boxed, because the compiler limits the depth of nested futures.
    Box::pin(handle(&Services { ports, queue }, body)).await
}

/// Tables, bucket and queue: [`Services`] in production, memory in tests.
trait Backend: Stories + Objects {
    /// Reads an item, tombstones included; strongly consistent.
    async fn item(&self, id: MediaId) -> Result<Option<MediaItem>, Failure>;

    /// Reads a page of an author's items of a post, the oldest first; eventually consistent.
    async fn items(&self, author: &str, story: &Post, after: Option<&SortKey>) -> Result<Page, Failure>;

    /// Sends a message for each of these items to the queue.
    async fn send_files(&self, items: &[MediaId]) -> Result<(), Failure>;

    /// Sends a page to the queue, to be delivered after `delay` seconds.
    async fn send_page(&self, page: StoryPage, delay: i32) -> Result<(), Failure>;
}

async fn handle(backend: &impl Backend, body: &str) -> Result<(), Failure> {
    match serde_json::from_str(body).map_err(|error| Failure::bug("read which files to look at", error))? {
        StoryFiles::Story(page) => send_files(backend, &page).await,
        StoryFiles::File { item } => compare(backend, item).await,
    }
}

/// Sends a message for each file of the page, and the next page.
async fn send_files(backend: &impl Backend, page: &StoryPage) -> Result<(), Failure> {
    if page.number > MAX_PAGES {
        return Err(Failure::bug("list the files of a story", "the story has too many pages"));
    }
    let Some(DrivingStory { authors, .. }) = backend.driving_story(&page.story).await? else { return Ok(()) };
    let Some(author) = page.author(&authors) else { return Ok(()) };
    // If the author of the page was removed, the key is that of another one's list, and starts this one in the middle.
    let after = page.after.clone().filter(|_| page.author.as_ref() == Some(author)).map(SortKey);
    let Page { items, next } = backend.items(author, &page.story, after.as_ref()).await?;
    let items: Vec<_> = items.into_iter().map(|item| item.id).collect();
    backend.send_files(&items).await?;
    info!(story = page.story.as_str(), number = page.number, files = items.len(), "looks at the files of a story");
    match page.next(&authors, author, next.map(|SortKey(key)| key)) {
        Some(NextPage::Page(page)) => backend.send_page(page, 0).await,
        Some(NextPage::SecondPass(page)) => backend.send_page(page, SECOND_PASS_DELAY).await,
        None => Ok(()),
    }
}

/// Gives an item the visibility of its story, if it has another one.
async fn compare(backend: &impl Backend, id: MediaId) -> Result<(), Failure> {
    for _ in 0..MAX_ATTEMPTS {
        let Some(item) = backend.item(id).await? else { return Ok(()) };
        if matches!(item.state, State::TakenDown(..) | State::Deleted { .. }) {
            return Ok(());
        }
        let Some(visibility) = visibility_of_story(backend, &item).await? else { return Ok(()) };
        match change(backend, &item, visibility).await? {
            // The story may have changed since it was read.
            Outcome::Changed => info!(media_id = %id, "as its story"),
            // The report about an item that is processed, and a new original, send the item again.
            Outcome::Unchanged | Outcome::BeingProcessed | Outcome::TakenDown | Outcome::Gone => return Ok(()),
            Outcome::Replaced => break,
        }
    }
    Err(Failure::transient("give a file the visibility of its story", "it changes all the time"))
}

struct Services<'a> {
    ports: &'a Ports,
    queue: &'a Queue,
}

impl Stories for Services<'_> {
    async fn driving_story(&self, story: &Post) -> Result<Option<DrivingStory>, Failure> {
        self.ports.relations.audience.driving_story(story).await
    }
}

impl Objects for Services<'_> {
    async fn head(&self, key: &str) -> Result<Option<Head>, Failure> {
        self.ports.originals.head(key).await
    }

    async fn copy_onto_itself(&self, key: &str, head: Head) -> Result<Copied, Failure> {
        self.ports.originals.copy_onto_itself(key, head).await
    }
}

impl Backend for Services<'_> {
    async fn item(&self, id: MediaId) -> Result<Option<MediaItem>, Failure> {
        self.ports.table.get(id, Projection::Brief).await
    }

    async fn items(&self, author: &str, story: &Post, after: Option<&SortKey>) -> Result<Page, Failure> {
        let list = List {
            owner: author.to_owned(),
            selection: Selection::Post(story.clone()),
            relation: Relation::Owner,
            order: Order::Oldest,
        };
        self.ports.table.list(&list, FILES_PER_PAGE, after, Projection::Brief).await
    }

    async fn send_files(&self, items: &[MediaId]) -> Result<(), Failure> {
        send_batches(self.queue, items).await
    }

    async fn send_page(&self, page: StoryPage, delay: i32) -> Result<(), Failure> {
        let body = json(&StoryFiles::Story(page))?;
        let send = self.queue.sqs.send_message().queue_url(&self.queue.url).message_body(body).delay_seconds(delay);
        send.send().await.map(drop).map_err(|error| Failure::aws("send a page of files", error))
    }
}

async fn send_batches(queue: &Queue, items: &[MediaId]) -> Result<(), Failure> {
    const DOING: &str = "send files to look at";
    for items in items.chunks(MESSAGES_PER_CALL) {
        let mut send = queue.sqs.send_message_batch().queue_url(&queue.url);
        for item in items {
            let entry = SendMessageBatchRequestEntry::builder().id(item.to_string());
            let entry = entry.message_body(json(&StoryFiles::File { item: *item })?).build();
            send = send.entries(entry.map_err(|error| Failure::bug(DOING, error))?);
        }
        let sent = send.send().await.map_err(|error| Failure::aws(DOING, error))?;
        if let Some(failed) = sent.failed().first() {
            return Err(Failure::transient(DOING, failed.code()));
        }
    }
    Ok(())
}

fn json(message: &StoryFiles) -> Result<String, Failure> {
    serde_json::to_string(message).map_err(|error| Failure::bug("write a message", error))
}

#[cfg(test)]
mod tests;
