//! The expected entries of the search index.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Executed,
    graph::{Graph, Node, Write, initial_writes, writes},
};
use crate::operation::Operation;

/// The entry of a vertex in the search index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexEntry {
    /// A story.
    Story(Story),
    /// A person or a tag with its name.
    Named(String),
}

/// The entry of a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// Title.
    pub title: String,
    /// Author.
    pub author: Node,
    /// Time of publication in milliseconds since 1970.
    pub published_at: i64,
    /// Visibility.
    pub visibility: String,
    /// Tags, oldest first.
    pub tags: Vec<Node>,
}

/// All entries: stories with title and author, and persons and tags with names. Entries of a graph before a reset stay,
/// unless their vertices are added again.
pub fn found(history: &[Executed]) -> BTreeMap<Node, IndexEntry> {
    let mut entries = BTreeMap::new();
    for generation in generations(history) {
        let added: BTreeSet<_> = added(generation).filter_map(|write| node(&write)).collect();
        entries.retain(|node, _| !added.contains(node));
        let graph = Graph::of(generation);
        entries.extend(graph.nodes.keys().filter_map(|node| Some((*node, of(&graph, *node)?))));
    }
    entries
}

/// The vertices and edges in the index of Neptune's full-text queries. Those of a graph before a reset stay, unless they
/// are added again.
pub fn indexed_graph(history: &[Executed]) -> Graph {
    let mut indexed = Graph::default();
    for generation in generations(history) {
        for write in added(generation) {
            match write {
                Write::Add(node) => drop(indexed.nodes.remove(&node)),
                Write::Link(link) => drop(indexed.links.remove(&link)),
                _ => {}
            }
        }
        let Graph { nodes, links } = Graph::of(generation);
        indexed.nodes.extend(nodes);
        indexed.links.extend(links);
    }
    indexed
}

/// The parts of the history between resets.
fn generations(history: &[Executed]) -> impl Iterator<Item = &[Executed]> {
    history.split(|executed| executed.operation == Operation::Reset)
}

/// The writes that a generation's graph was made of.
fn added(generation: &[Executed]) -> impl Iterator<Item = Write> {
    initial_writes().into_iter().chain(generation.iter().flat_map(|executed| writes(&executed.operation)))
}

fn node(write: &Write) -> Option<Node> {
    match write {
        Write::Add(node) => Some(*node),
        _ => None,
    }
}

fn of(graph: &Graph, node: Node) -> Option<IndexEntry> {
    match node {
        Node::Person(_) | Node::Tag(_) => graph.property(node, "name").map(|name| IndexEntry::Named(name.to_owned())),
        Node::Story(_) => story(graph, node).map(IndexEntry::Story),
        Node::Comment(_) => None,
    }
}

fn story(graph: &Graph, node: Node) -> Option<Story> {
    let title = graph.property(node, "title")?.to_owned();
    let (publication, since) = graph.links.iter().find(|(link, _)| link.label == "told" && link.to == node)?;
    let visibility = match graph.nodes.get(&node)?.get("visibility") {
        // The visibility was never set.
        None => "public",
        // A removed visibility means private until it is set again.
        Some(value) => value.as_deref().unwrap_or("private"),
    };
    let (visibility, tags) = (visibility.to_owned(), graph.targets("tagged", node));
    Some(Story { title, author: publication.from, published_at: since.committed_at, visibility, tags })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::testing::executed,
        size::{PERSONS, TAGS},
    };

    const PUBLISH: Operation = Operation::PublishStory { author: 1, story: 0 };

    fn story_after(rest: Vec<Operation>) -> Option<Story> {
        let history = executed([PUBLISH].into_iter().chain(rest).collect());
        match found(&history).remove(&Node::Story(0)) {
            Some(IndexEntry::Story(story)) => Some(story),
            _ => None,
        }
    }

    #[test]
    fn persons_and_tags_have_entries_from_the_beginning() {
        assert_eq!(found(&[]).len(), PERSONS + TAGS);
        let renamed = found(&executed(vec![Operation::Rename { person: 2, name: 7 }]));
        assert_eq!(renamed.get(&Node::Person(2)), Some(&IndexEntry::Named("사람 2, 7".to_owned())));
    }

    #[test]
    fn story_entry_has_the_latest_values() {
        let visible = |visibility| Operation::SetVisibility { story: 0, visibility };
        let initial = story_after(vec![]).expect("a story");
        assert_eq!(
            (initial.author, initial.visibility.as_ref(), initial.title.as_str()),
            (Node::Person(1), "public", "이야기 0, 0")
        );
        let story = |rest| story_after(rest).expect("a story");
        assert_eq!(story(vec![visible(Some("followers"))]).visibility, "followers");
        assert_eq!(story(vec![visible(Some("followers")), visible(None)]).visibility, "private");
        assert_eq!(story(vec![Operation::SetTitle { story: 0, title: Some(4) }]).title, "이야기 0, 4");
        let tags = [2, 1, 0].map(|tag| Operation::Tag { story: 0, tag });
        let retagged = [Operation::Untag { story: 0, tag: 2 }, Operation::Tag { story: 0, tag: 2 }];
        let tagged = story(tags.into_iter().chain(retagged).collect());
        assert_eq!(tagged.tags, [Node::Tag(1), Node::Tag(0), Node::Tag(2)]);
    }

    #[test]
    fn entries_before_a_reset_stay_unless_added_again() {
        let follow = Operation::Follow { from: 0, to: 1 };
        let unfollow = Operation::Unfollow { from: 0, to: 1 };
        let rename = Operation::Rename { person: 2, name: 7 };
        let before = [PUBLISH, rename, follow.clone(), Operation::Reset];
        let entries = found(&executed(before.to_vec()));
        assert!(matches!(entries.get(&Node::Story(0)), Some(IndexEntry::Story(_))));
        assert_eq!(entries.get(&Node::Person(2)), Some(&IndexEntry::Named("사람 2, 0".to_owned())));
        let edges = |rest: &[Operation]| {
            let links = indexed_graph(&executed([&before[..], rest].concat())).links;
            links.keys().map(|link| link.label).collect::<Vec<_>>()
        };
        assert_eq!(edges(&[]), ["follows", "told"]);
        assert_eq!(edges(&[follow, unfollow]), ["told"]);
    }

    #[test]
    fn story_without_title_or_author_has_no_entry() {
        assert_eq!(story_after(vec![Operation::UnpublishStory { author: 1, story: 0 }]), None);
        assert_eq!(story_after(vec![Operation::RemoveStory { story: 0 }]), None);
        assert_eq!(story_after(vec![Operation::SetTitle { story: 0, title: None }]), None);
        let history =
            executed(vec![PUBLISH, Operation::Like { from: 2, story: 0 }, Operation::RemoveStory { story: 0 }]);
        assert!(Graph::of(&history).links.is_empty());
    }
}
