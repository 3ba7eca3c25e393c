//! What can be found, by what the graph holds.

use std::collections::BTreeMap;

use super::{
    Done,
    graph::{Graph, Node},
};

/// What the index holds of a vertex that can be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A story.
    Story(Story),
    /// A person or a tag, by its name.
    Named(String),
}

/// A story that can be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// Its title.
    pub title: String,
    /// Who told it.
    pub author: Node,
    /// When, in milliseconds since 1970.
    pub published_at: i64,
    /// Who may see it.
    pub visibility: String,
    /// In the order in which it got them.
    pub tags: Vec<Node>,
}

/// All that can be found: stories that somebody told and that have a title, and what has a name.
pub fn found(history: &[Done]) -> BTreeMap<Node, Found> {
    let graph = Graph::of(history);
    graph.nodes.keys().filter_map(|node| Some((*node, of(&graph, *node)?))).collect()
}

fn of(graph: &Graph, node: Node) -> Option<Found> {
    match node {
        Node::Person(_) | Node::Tag(_) => graph.property(node, "name").map(|name| Found::Named(name.to_owned())),
        Node::Story(_) => story(graph, node).map(Found::Story),
        Node::Comment(_) => None,
    }
}

fn story(graph: &Graph, node: Node) -> Option<Story> {
    let title = graph.property(node, "title")?.to_owned();
    let (told, since) = graph.links.iter().find(|(link, _)| link.label == "told" && link.to == node)?;
    let visibility = match graph.nodes.get(&node)?.get("visibility") {
        // Nobody ever said anything.
        None => "public",
        // What is not said any more is hidden until it is said again.
        Some(said) => said.as_deref().unwrap_or("private"),
    };
    let (visibility, tags) = (visibility.to_owned(), graph.ends("tagged", node));
    Some(Story { title, author: told.from, published_at: since.committed_at, visibility, tags })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        generator::{PERSONS, TAGS},
        model::testing::done,
        operation::Operation,
    };

    const TELL: Operation = Operation::Tell { author: 1, story: 0 };

    fn story_after(rest: Vec<Operation>) -> Option<Story> {
        let history = done([TELL].into_iter().chain(rest).collect());
        match found(&history).remove(&Node::Story(0)) {
            Some(Found::Story(story)) => Some(story),
            _ => None,
        }
    }

    #[test]
    fn persons_and_tags_are_found_from_the_beginning() {
        assert_eq!(found(&[]).len(), PERSONS + TAGS);
        let renamed = found(&done(vec![Operation::Rename { person: 2, name: 7 }]));
        assert_eq!(renamed.get(&Node::Person(2)), Some(&Found::Named("사람 2, 7".to_owned())));
    }

    #[test]
    fn a_story_is_what_was_said_of_it_last() {
        let visible = |visibility| Operation::SetVisibility { story: 0, visibility };
        let told = story_after(vec![]).expect("a story");
        assert_eq!(
            (told.author, told.visibility.as_str(), told.title.as_str()),
            (Node::Person(1), "public", "이야기 0, 0")
        );
        let story = |rest| story_after(rest).expect("a story");
        assert_eq!(story(vec![visible(Some("followers"))]).visibility, "followers");
        assert_eq!(story(vec![visible(Some("followers")), visible(None)]).visibility, "private");
        assert_eq!(story(vec![Operation::Retitle { story: 0, title: Some(4) }]).title, "이야기 0, 4");
        let tags = [2, 1, 0].map(|tag| Operation::Tag { story: 0, tag });
        let again = [Operation::Untag { story: 0, tag: 2 }, Operation::Tag { story: 0, tag: 2 }];
        let tagged = story(tags.into_iter().chain(again).collect());
        assert_eq!(tagged.tags, [Node::Tag(1), Node::Tag(0), Node::Tag(2)]);
    }

    #[test]
    fn what_is_gone_or_has_no_title_or_author_is_not_found() {
        assert_eq!(story_after(vec![Operation::Untell { author: 1, story: 0 }]), None);
        assert_eq!(story_after(vec![Operation::RemoveStory { story: 0 }]), None);
        assert_eq!(story_after(vec![Operation::Retitle { story: 0, title: None }]), None);
        let history = done(vec![TELL, Operation::Like { from: 2, story: 0 }, Operation::RemoveStory { story: 0 }]);
        assert!(Graph::of(&history).links.is_empty());
    }
}
