//! Erasure of accounts.

use domain::account::{ErasedTable, Erasure, NotificationErasure};
use function_kit::failure::Failure;
use jiff::Timestamp;

use super::{
    fixtures::{liked_story, notifications},
    in_memory_backend::InMemoryBackend,
};
use crate::{message::Continuation, ports::Erasures};

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

#[tokio::test]
async fn erased_recipient_gets_nothing_and_leaves_no_trace() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    backend.set_erased("mina");
    assert_eq!(backend.deliver(&liked_story()).await, []);
    assert_eq!((backend.sent(), backend.inbox.of("mina")), (notifications(&[]), vec![]));
    assert_eq!(backend.ledger_count(), 0);
}
