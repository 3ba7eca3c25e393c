//! Erasure of accounts.

use domain::account::{ErasedTable, Erasure, NotificationErasure};
use function_kit::failure::Failure;
use jiff::Timestamp;

use super::{
    fixtures::{liked_story, notifications},
    in_memory_backend::InMemoryBackend,
};
use crate::{
    message::{Continuation, MAX_TURNS},
    ports::Erasures,
};

/// Each table has two pages.
impl Erasures for InMemoryBackend {
    async fn erase_page(
        &self,
        table: ErasedTable,
        person: &str,
        after: Option<&[String]>,
    ) -> Result<Option<Vec<String>>, Failure> {
        self.erasures.borrow_mut().push(format!("{table:?} {person} {after:?}"));
        Ok(after.is_none().then(|| vec!["row".to_owned()]))
    }

    async fn hand_back(&self, erasure: &Erasure) -> Result<(), Failure> {
        self.erasures.borrow_mut().push(format!("done {}", erasure.done));
        Ok(())
    }
}

#[tokio::test]
async fn all_pages_of_both_tables_are_erased_before_the_erasure_is_handed_back() {
    let backend = InMemoryBackend::new();
    let erasure = Erasure { done: 4, ..Erasure::start("mina", "m", Timestamp::UNIX_EPOCH) };
    let mut next = Some(Continuation::Erasure(NotificationErasure::start(erasure)));
    while let Some(page) = next {
        assert_eq!(backend.deliver_continuation(&page).await, []);
        next = backend.dequeue();
    }
    let row = r#"Some(["row"])"#;
    let pages = ["Ledger mina None", &format!("Ledger mina {row}"), "Inbox mina None", &format!("Inbox mina {row}")];
    assert_eq!(*backend.erasures.borrow(), [&pages[..], &["done 5"]].concat());
}

/// As for the other continuations: Lambda's detection of loops is off.
#[tokio::test]
async fn table_without_end_is_a_bug_and_keeps_the_erasure_incomplete() {
    let erasure = Erasure::start("mina", "m", Timestamp::UNIX_EPOCH);
    let page = |number, after: Option<Vec<String>>| {
        Continuation::Erasure(NotificationErasure { number, after, ..NotificationErasure::start(erasure.clone()) })
    };
    let backend = InMemoryBackend::new();
    assert_eq!(backend.deliver_continuation(&page(MAX_TURNS, None)).await, []);
    let next = backend.dequeue().expect("the next page");
    assert_eq!(next, page(MAX_TURNS + 1, Some(vec!["row".to_owned()])));
    let failures = backend.deliver_continuation(&next).await;
    assert!(!failures.is_empty());
    assert_eq!(backend.dequeue(), None);
    assert_eq!(*backend.erasures.borrow(), ["Ledger mina None"]);
    // Each table has its own number.
    let last = page(MAX_TURNS, Some(vec!["row".to_owned()]));
    assert_eq!(backend.deliver_continuation(&last).await, []);
    let first = NotificationErasure { table: ErasedTable::Inbox, ..NotificationErasure::start(erasure.clone()) };
    assert_eq!(backend.dequeue(), Some(Continuation::Erasure(first)));
}

#[tokio::test]
async fn erased_recipient_gets_nothing_and_leaves_no_trace() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    backend.set_erased("mina");
    assert_eq!(backend.deliver(&liked_story()).await, []);
    assert_eq!((backend.sent(), backend.inbox.of("mina")), (notifications(&[]), vec![]));
    assert_eq!(backend.ledger_count(), 0);
}
