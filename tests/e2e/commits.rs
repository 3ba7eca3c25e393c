//! Commits of people, stories and their relations.

use neptune::Commit;
use stack::users::User;

/// A commit with a new edge, whose id is [`edge_id`].
pub fn edge(label: &str, from: &str, to: &str) -> Commit {
    add_edge(Commit::new(), label, from, to)
}

/// A commit that removes the edge of [`edge`].
pub fn remove_edge(label: &str, from: &str, to: &str) -> Commit {
    Commit::new().remove_edge(edge_id(label, from, to))
}

pub fn add_edge(commit: Commit, label: &str, from: &str, to: &str) -> Commit {
    commit.add_edge(edge_id(label, from, to), label, from, to)
}

pub fn edge_id(label: &str, from: &str, to: &str) -> String {
    format!("{label}:{from}:{to}")
}

/// Adds a user's vertex.
pub fn add_person(commit: Commit, user: &User) -> Commit {
    commit.add_vertex(&user.id, ["person"]).set(&user.id, "name", user.name.as_str())
}

/// Adds the vertices of all users.
pub fn add_people<'a>(commit: Commit, users: impl IntoIterator<Item = &'a User>) -> Commit {
    users.into_iter().fold(commit, add_person)
}

/// Adds a story and the edge of its author, whose id is [`author_edge_id`].
pub fn add_story(commit: Commit, author: &str, id: &str, title: &str) -> Commit {
    commit.add_vertex(id, ["story"]).set(id, "title", title).add_edge(author_edge_id(id), "told", author, id)
}

/// A commit that removes the story of [`add_story`].
pub fn remove_story(id: &str) -> Commit {
    Commit::new().remove_edge(author_edge_id(id)).remove_vertex(id)
}

pub fn author_edge_id(story: &str) -> String {
    format!("told:{story}")
}
