//! Copies of everything about a person that are ready.

use domain::export::ExportReady;
use jiff::SignedDuration;

use super::{fixtures::notifications, in_memory_backend::InMemoryBackend};

fn ready(backend: &InMemoryBackend, id: &str) -> String {
    let ready = ExportReady { user: "mina".into(), id: id.into(), ready_at: backend.now.get() };
    serde_json::to_string(&ready).expect("JSON")
}

#[tokio::test]
async fn person_is_notified_once_of_each_export_that_is_ready() {
    let backend = InMemoryBackend::with_users(&["mina", "jun"]);
    let messages = [ready(&backend, "e1"), ready(&backend, "e1"), ready(&backend, "e2")];
    for message in messages {
        assert_eq!(backend.invoke(vec![message]).await, []);
    }
    let one = ("mina", "export-ready");
    assert_eq!(backend.sent(), notifications(&[one, one]));
    let keys: Vec<_> = backend.inbox.of("mina").into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["export-ready:e1", "export-ready:e2"]);
    assert_eq!(backend.inbox.of("jun"), []);
}

#[tokio::test]
async fn export_that_can_no_longer_be_downloaded_is_not_announced() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    let message = ready(&backend, "e1");
    backend.now.set(backend.now.get() + SignedDuration::from_hours(24));
    assert_eq!(backend.invoke(vec![message]).await, []);
    assert_eq!(backend.sent(), notifications(&[]));
}

#[tokio::test]
async fn erased_person_is_not_notified() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    backend.set_erased("mina");
    assert_eq!(backend.invoke(vec![ready(&backend, "e1")]).await, []);
    assert_eq!((backend.sent(), backend.inbox.of("mina"), backend.ledger_count()), (notifications(&[]), vec![], 0));
}
