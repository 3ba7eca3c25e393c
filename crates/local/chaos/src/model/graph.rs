//! The graph writes of operations and the resulting graph.

use std::collections::BTreeMap;

use super::Executed;
use crate::{
    operation::Operation,
    size::{PERSONS, TAGS},
};

/// A vertex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    /// A person.
    Person(usize),
    /// A story.
    Story(usize),
    /// A reply.
    Comment(usize),
    /// A tag.
    Tag(usize),
}

impl Node {
    /// The label of the vertex.
    pub fn label(self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Story(_) => "story",
            Self::Comment(_) => "comment",
            Self::Tag(_) => "tag",
        }
    }
}

/// An edge. Two vertices have at most one edge of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The label.
    pub label: &'static str,
    /// The source vertex.
    pub from: Node,
    /// The target vertex.
    pub to: Node,
}

/// A write. The writes of an operation form one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Adds a vertex.
    Add(Node),
    /// Removes a vertex and its incident edges.
    Remove(Node),
    /// Adds an edge.
    Link(Link),
    /// Removes an edge.
    Unlink(Link),
    /// Sets a property of a vertex.
    Set(Node, &'static str, String),
    /// Removes a property.
    Unset(Node, &'static str),
}

/// The writes before the first operation: all persons and tags.
pub fn initial_writes() -> Vec<Write> {
    let named = |node, name| [Write::Add(node), Write::Set(node, "name", name)];
    let persons = (0..PERSONS).flat_map(|person| named(Node::Person(person), name(person, 0)));
    persons.chain((0..TAGS).flat_map(|tag| named(Node::Tag(tag), format!("태그 {tag}")))).collect()
}

/// The writes of an operation. Empty if the operation does not change the graph.
pub fn writes(operation: &Operation) -> Vec<Write> {
    use Node::{Comment, Person, Story, Tag};
    let link = |label, from, to| Link { label, from, to };
    match *operation {
        Operation::Erase { person, ref stories, ref comments } => {
            let stories = stories.iter().map(|story| Write::Remove(Story(*story)));
            let comments = comments.iter().map(|comment| Write::Remove(Comment(*comment)));
            stories.chain(comments).chain([Write::Remove(Person(person))]).collect()
        }
        Operation::Follow { from, to } => vec![Write::Link(link("follows", Person(from), Person(to)))],
        Operation::Unfollow { from, to } => vec![Write::Unlink(link("follows", Person(from), Person(to)))],
        Operation::Block { from, to } => vec![Write::Link(link("blocks", Person(from), Person(to)))],
        Operation::Unblock { from, to } => vec![Write::Unlink(link("blocks", Person(from), Person(to)))],
        Operation::Mute { from, to } => vec![Write::Link(link("mutes", Person(from), Person(to)))],
        Operation::Unmute { from, to } => vec![Write::Unlink(link("mutes", Person(from), Person(to)))],
        Operation::PublishStory { author, story } => vec![
            Write::Add(Story(story)),
            Write::Set(Story(story), "title", title(story, 0)),
            Write::Link(link("told", Person(author), Story(story))),
        ],
        Operation::UnpublishStory { author, story } => vec![Write::Unlink(link("told", Person(author), Story(story)))],
        Operation::RemoveStory { story } => vec![Write::Remove(Story(story))],
        Operation::SetTitle { story, title: Some(version) } => {
            vec![Write::Set(Story(story), "title", title(story, version))]
        }
        Operation::SetTitle { story, title: None } => vec![Write::Unset(Story(story), "title")],
        Operation::SetVisibility { story, visibility: Some(visibility) } => {
            vec![Write::Set(Story(story), "visibility", visibility.to_owned())]
        }
        Operation::SetVisibility { story, visibility: None } => vec![Write::Unset(Story(story), "visibility")],
        Operation::Tag { story, tag } => vec![Write::Link(link("tagged", Story(story), Tag(tag)))],
        Operation::Untag { story, tag } => vec![Write::Unlink(link("tagged", Story(story), Tag(tag)))],
        Operation::Rename { person, name: version } => {
            vec![Write::Set(Person(person), "name", name(person, version))]
        }
        Operation::Like { from, story } => vec![Write::Link(link("likes", Person(from), Story(story)))],
        Operation::Unlike { from, story } => vec![Write::Unlink(link("likes", Person(from), Story(story)))],
        Operation::Reply { from, story, comment } => vec![
            Write::Add(Comment(comment)),
            Write::Link(link("wrote", Person(from), Comment(comment))),
            Write::Link(link("replies_to", Comment(comment), Story(story))),
        ],
        _ => Vec::new(),
    }
}

/// The name of a person; version 0 is the initial one.
fn name(person: usize, version: usize) -> String {
    format!("사람 {person}, {version}")
}

/// The title of a story; version 0 is the initial one.
fn title(story: usize, version: usize) -> String {
    format!("이야기 {story}, {version}")
}

/// The graph.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    /// The vertices with their properties. A removed property is `None`.
    pub nodes: BTreeMap<Node, BTreeMap<&'static str, Option<String>>>,
    /// The edges with their origin.
    pub links: BTreeMap<Link, Since>,
}

/// When an edge was added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Since {
    /// Index in the history.
    pub at: usize,
    /// Commit time in milliseconds since 1970.
    pub committed_at: i64,
}

impl Graph {
    /// The graph after a history.
    pub fn of(history: &[Executed]) -> Self {
        let mut graph = Self::default();
        initial_writes().into_iter().for_each(|write| graph.write(write, Since { at: 0, committed_at: 0 }));
        for (at, executed) in history.iter().enumerate() {
            if executed.operation == Operation::Reset {
                graph = Self::of(&[]);
            }
            let since = Since { at, committed_at: executed.committed_at.unwrap_or_default() };
            writes(&executed.operation).into_iter().for_each(|write| graph.write(write, since));
        }
        graph
    }

    /// Applies a write.
    pub fn write(&mut self, write: Write, since: Since) {
        match write {
            Write::Add(node) => drop(self.nodes.insert(node, BTreeMap::new())),
            Write::Remove(node) => {
                self.nodes.remove(&node);
                self.links.retain(|link, _| link.from != node && link.to != node);
            }
            Write::Link(link) => drop(self.links.insert(link, since)),
            Write::Unlink(link) => drop(self.links.remove(&link)),
            Write::Set(node, name, value) => drop(self.nodes.entry(node).or_default().insert(name, Some(value))),
            Write::Unset(node, name) => drop(self.nodes.entry(node).or_default().insert(name, None)),
        }
    }

    /// Whether a write is valid and has an effect.
    #[cfg(test)]
    pub fn accepts(&self, write: &Write) -> bool {
        match write {
            Write::Add(node) => !self.nodes.contains_key(node),
            Write::Remove(node) => self.nodes.contains_key(node),
            Write::Link(link) => {
                !self.links.contains_key(link) && [link.from, link.to].iter().all(|end| self.nodes.contains_key(end))
            }
            Write::Unlink(link) => self.links.contains_key(link),
            Write::Set(node, name, value) => {
                self.nodes.contains_key(node) && self.property(*node, name) != Some(value.as_str())
            }
            Write::Unset(node, name) => self.property(*node, name).is_some(),
        }
    }

    /// The value of a property.
    pub fn property(&self, node: Node, name: &str) -> Option<&str> {
        self.nodes.get(&node)?.get(name)?.as_deref()
    }

    /// The targets of a vertex's edges with this label, oldest first.
    pub fn targets(&self, label: &str, from: Node) -> Vec<Node> {
        let links = self.links.iter().filter(|(link, _)| link.label == label && link.from == from);
        let mut targets: Vec<_> = links.map(|(link, since)| (*since, link.to)).collect();
        targets.sort();
        targets.into_iter().map(|(_, to)| to).collect()
    }
}
