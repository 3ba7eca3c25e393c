//! The calls that a message causes.

use std::cell::RefCell;

use aws_sdk_sqs::{Client, operation::send_message_batch::SendMessageBatchOutput, types::BatchResultErrorEntry};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use domain::{
    media::{MediaId, MediaItem, Post, Visibility},
    story_files::{DrivingStory, StoryFiles, StoryPage},
};
use function_kit::{
    batch::Queue,
    failure::{Failure, Kind},
};
use store::media::{Page, SortKey};

use super::{
    super::{Backend, MAX_PAGES, handle, send_batches},
    memory::{original, story},
};
use crate::{
    originals::{Copied, Head},
    visibility::{Objects, Stories},
};

/// A story of Jun, who has no files, and Mina, who has two pages of them.
#[derive(Default)]
struct TwoAuthors {
    sent: RefCell<Vec<String>>,
}

impl Stories for TwoAuthors {
    async fn driving_story(&self, _: &Post) -> Result<Option<DrivingStory>, Failure> {
        let authors = ["jun", "mina"].map(str::to_owned).into();
        Ok(Some(DrivingStory { authors, visibility: Visibility::Private }))
    }
}

impl Objects for TwoAuthors {
    async fn head(&self, _: &str) -> Result<Option<Head>, Failure> {
        Ok(None)
    }

    async fn copy_onto_itself(&self, _: &str, _: Head) -> Result<Copied, Failure> {
        Ok(Copied::Gone)
    }
}

impl Backend for TwoAuthors {
    async fn item(&self, _: MediaId) -> Result<Option<MediaItem>, Failure> {
        Ok(None)
    }

    async fn items(&self, author: &str, _: &Post, after: Option<&SortKey>) -> Result<Page, Failure> {
        self.sent.borrow_mut().push(format!("list {author} {}", after.map_or("", |SortKey(key)| key)));
        let items = (author == "mina").then(|| MediaItem::processing(original(1, Visibility::Public)));
        let next = (author == "mina" && after.is_none()).then(|| SortKey("k".to_owned()));
        Ok(Page { items: items.into_iter().collect(), next })
    }

    async fn send_files(&self, items: &[MediaId]) -> Result<(), Failure> {
        self.sent.borrow_mut().push(format!("{} files", items.len()));
        Ok(())
    }

    async fn send_page(&self, page: StoryPage, delay: i32) -> Result<(), Failure> {
        let StoryPage { author, after, number, is_second, .. } = page;
        self.sent.borrow_mut().push(format!("page {author:?} {after:?} {number} {is_second} {delay}"));
        Ok(())
    }
}

async fn sent(page: StoryPage) -> Result<Vec<String>, Failure> {
    let backend = TwoAuthors::default();
    let body = serde_json::to_string(&StoryFiles::Story(page)).expect("JSON");
    handle(&backend, &body).await?;
    Ok(backend.sent.into_inner())
}

#[tokio::test]
async fn each_page_sends_its_files_and_the_next_page() {
    let first = StoryPage::first(story());
    let expected = ["list jun ", "0 files", r#"page Some("mina") None 1 false 0"#];
    assert_eq!(sent(first.clone()).await.expect("sent"), expected);
    let of_mina = StoryPage { author: Some("mina".to_owned()), number: 1, ..first.clone() };
    let expected = ["list mina ", "1 files", r#"page Some("mina") Some("k") 2 false 0"#];
    assert_eq!(sent(of_mina.clone()).await.expect("sent"), expected);
    let last = StoryPage { after: Some("k".to_owned()), number: 2, ..of_mina };
    let expected = ["list mina k", "1 files", "page None None 0 true 60"];
    assert_eq!(sent(last.clone()).await.expect("sent"), expected);
    let second = StoryPage { is_second: true, ..last.clone() };
    assert_eq!(sent(second).await.expect("sent"), ["list mina k", "1 files"]);
    // The author of the page has been removed: the list of the next one begins at its start.
    let of_removed = StoryPage { author: Some("kim".to_owned()), ..last };
    let expected = ["list mina ", "1 files", r#"page Some("mina") Some("k") 3 false 0"#];
    assert_eq!(sent(of_removed).await.expect("sent"), expected);
}

#[tokio::test]
async fn too_many_pages_and_unreadable_messages_are_bugs() {
    let endless = StoryPage { number: MAX_PAGES + 1, ..StoryPage::first(story()) };
    assert_eq!(sent(endless).await.expect_err("a failure").kind, Kind::Bug);
    let failure = handle(&TwoAuthors::default(), r#"{"type":"app.iyagi.push.page"}"#).await.expect_err("a failure");
    assert_eq!(failure.kind, Kind::Bug);
}

fn queue(rule: &Rule) -> Queue {
    let sqs = mock_client!(aws_sdk_sqs, RuleMode::MatchAny, [rule]);
    Queue { sqs, url: "https://sqs/story-files".to_owned(), dead_letters_url: "https://sqs/dead".to_owned() }
}

#[tokio::test]
async fn files_are_sent_ten_at_a_time() {
    let items: Vec<_> = (0..11).map(|number| MediaId::of_key(&format!("photo/mina/{number}"))).collect();
    let all = mock!(Client::send_message_batch)
        .match_requests(|request| {
            request.queue_url() == Some("https://sqs/story-files") && request.entries().len() <= 10
        })
        .then_output(|| {
            SendMessageBatchOutput::builder()
                .set_successful(Some(vec![]))
                .set_failed(Some(vec![]))
                .build()
                .expect("an output")
        });
    send_batches(&queue(&all), &items).await.expect("sent");
    assert_eq!(all.num_calls(), 2);
    send_batches(&queue(&all), &[]).await.expect("nothing to send");
    assert_eq!(all.num_calls(), 2);
}

#[tokio::test]
async fn file_that_the_queue_did_not_take_fails_the_page() {
    let one = mock!(Client::send_message_batch).then_output(|| {
        let failed = BatchResultErrorEntry::builder().id("0").code("InternalError").sender_fault(false);
        let failed = failed.build().expect("an entry");
        SendMessageBatchOutput::builder().set_successful(Some(vec![])).failed(failed).build().expect("an output")
    });
    let failure = send_batches(&queue(&one), &[MediaId::of_key("photo/mina/a")]).await.expect_err("a failure");
    assert_eq!(failure.kind, Kind::Transient);
}
