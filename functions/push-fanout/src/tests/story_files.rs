//! Stories whose files another function looks at.

use domain::{graph::Change, media::Visibility, push::Vertex};
use function_kit::failure::Kind;

use super::{
    changes::{add_edge, add_story, remove_edge, set_property, set_visibility},
    in_memory_backend::InMemoryBackend,
};
use crate::update_projections::project;

/// Stories that were sent while a batch was projected, each with its authors and visibility then.
async fn sent(backend: &InMemoryBackend, batch: &[Change]) -> Vec<(String, Vec<String>, Option<Visibility>)> {
    assert_eq!(backend.deliver_changes(batch).await, []);
    let seen = |(story, vertex): (String, Vertex)| {
        let authors = vertex.owners.into_iter().map(|owner| owner.person).collect();
        (story, authors, vertex.visibility.map(|fact| fact.visibility))
    };
    backend.checked_stories.take().into_iter().map(seen).collect()
}

#[tokio::test]
async fn story_is_sent_after_its_visibility_or_author_is_stored() {
    let backend = InMemoryBackend::new();
    let story = |authors: &[&str], visibility| {
        let authors = authors.iter().map(|author| (*author).to_owned()).collect();
        vec![("s1".to_owned(), authors, visibility)]
    };
    let public = Some(Visibility::Public);
    assert_eq!(sent(&backend, &[add_story(1, "s1", None)]).await, []);
    assert_eq!(sent(&backend, &[add_edge(2, "told", "mina", "s1")]).await, story(&["mina"], public));
    let hide = set_visibility(3, "s1", Some("private"));
    assert_eq!(sent(&backend, std::slice::from_ref(&hide)).await, story(&["mina"], Some(Visibility::Private)));
    // Repeated, and superseded: as the projections are now.
    let show = set_visibility(4, "s1", Some("public"));
    assert_eq!(sent(&backend, &[show]).await, story(&["mina"], public));
    assert_eq!(sent(&backend, &[hide]).await, story(&["mina"], public));
    let removed = set_visibility(5, "s1", None);
    assert_eq!(sent(&backend, &[removed]).await, story(&["mina"], Some(Visibility::Private)));
}

#[tokio::test]
async fn other_changes_send_nothing() {
    let backend = InMemoryBackend::with_users(&["mina"]);
    let batch = [
        set_property(1, "mina", "name", "Mina"),
        set_property(2, "s1", "title", "첫눈"),
        add_edge(3, "follows", "jun", "mina"),
        add_edge(4, "likes", "jun", "s1"),
        add_edge(5, "wrote", "jun", "c1"),
        remove_edge(6, "told", "mina", "s1"),
        // No file can name this story.
        set_visibility(7, "이야기", Some("private")),
    ];
    assert_eq!(sent(&backend, &batch).await, []);
}

#[tokio::test]
async fn failed_send_fails_the_change_and_its_retry_sends() {
    let backend = InMemoryBackend::new();
    let body = set_visibility(1, "s1", Some("private")).to_cloud_event("main");
    backend.story_queue_is_down.set(true);
    let failure = project(&backend, &body).await.expect_err("a failure");
    assert_eq!((failure.kind, backend.checked_stories.borrow().len()), (Kind::Transient, 0));
    project(&backend, &body).await.expect("projected");
    assert_eq!(backend.checked_stories.borrow().len(), 1);
}
