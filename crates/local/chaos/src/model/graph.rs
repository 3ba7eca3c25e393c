//! What operations write into the graph, and what it holds by that.

use std::collections::BTreeMap;

use super::Done;
use crate::{
    generator::{PERSONS, TAGS},
    operation::Operation,
};

/// A vertex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    /// Somebody.
    Person(usize),
    /// What somebody told.
    Story(usize),
    /// What somebody replied.
    Comment(usize),
    /// What stories are tagged with.
    Tag(usize),
}

impl Node {
    /// The vertex's label.
    pub fn label(self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Story(_) => "story",
            Self::Comment(_) => "comment",
            Self::Tag(_) => "tag",
        }
    }
}

/// An edge. Of one label there are no two from one vertex to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// Its label.
    pub label: &'static str,
    /// Where it starts.
    pub from: Node,
    /// Where it ends.
    pub to: Node,
}

/// A write; those of one operation are one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// A vertex comes.
    Add(Node),
    /// It goes, with all edges from and to it.
    Remove(Node),
    /// An edge comes.
    Link(Link),
    /// It goes.
    Unlink(Link),
    /// A property of a vertex is set.
    Set(Node, &'static str, String),
    /// A property that was set is removed.
    Unset(Node, &'static str),
}

/// Everybody, and all tags: what is there before the first operation.
pub fn beginning() -> Vec<Write> {
    let named = |node, name| [Write::Add(node), Write::Set(node, "name", name)];
    let persons = (0..PERSONS).flat_map(|person| named(Node::Person(person), name(person, 0)));
    persons.chain((0..TAGS).flat_map(|tag| named(Node::Tag(tag), format!("태그 {tag}")))).collect()
}

/// What an operation writes; nothing if it is none on the graph.
pub fn writes(operation: &Operation) -> Vec<Write> {
    use Node::{Comment, Person, Story, Tag};
    let link = |label, from, to| Link { label, from, to };
    match *operation {
        Operation::Follow { from, to } => vec![Write::Link(link("follows", Person(from), Person(to)))],
        Operation::Unfollow { from, to } => vec![Write::Unlink(link("follows", Person(from), Person(to)))],
        Operation::Block { from, to } => vec![Write::Link(link("blocks", Person(from), Person(to)))],
        Operation::Unblock { from, to } => vec![Write::Unlink(link("blocks", Person(from), Person(to)))],
        Operation::Mute { from, to } => vec![Write::Link(link("mutes", Person(from), Person(to)))],
        Operation::Unmute { from, to } => vec![Write::Unlink(link("mutes", Person(from), Person(to)))],
        Operation::Tell { author, story } => vec![
            Write::Add(Story(story)),
            Write::Set(Story(story), "title", title(story, 0)),
            Write::Link(link("told", Person(author), Story(story))),
        ],
        Operation::Untell { author, story } => vec![Write::Unlink(link("told", Person(author), Story(story)))],
        Operation::RemoveStory { story } => vec![Write::Remove(Story(story))],
        Operation::Retitle { story, title: Some(version) } => {
            vec![Write::Set(Story(story), "title", title(story, version))]
        }
        Operation::Retitle { story, title: None } => vec![Write::Unset(Story(story), "title")],
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

/// What somebody is services at first, and later on.
fn name(person: usize, version: usize) -> String {
    format!("사람 {person}, {version}")
}

/// The same of a story.
fn title(story: usize, version: usize) -> String {
    format!("이야기 {story}, {version}")
}

/// What the graph holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    /// The vertices with their properties; of those that were removed there is the name.
    pub nodes: BTreeMap<Node, BTreeMap<&'static str, Option<String>>>,
    /// The edges, and since when.
    pub links: BTreeMap<Link, Since>,
}

/// When an edge came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Since {
    /// Its place in the history.
    pub at: usize,
    /// When that was, in milliseconds since 1970.
    pub committed_at: i64,
}

impl Graph {
    /// What it holds after all of this.
    pub fn of(history: &[Done]) -> Self {
        let mut graph = Self::default();
        beginning().into_iter().for_each(|write| graph.write(write, Since { at: 0, committed_at: 0 }));
        for (at, done) in history.iter().enumerate() {
            let since = Since { at, committed_at: done.committed_at.unwrap_or_default() };
            writes(&done.operation).into_iter().for_each(|write| graph.write(write, since));
        }
        graph
    }

    /// Does one write.
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

    /// Whether the graph would do a write: nothing comes twice, and only what is there is changed, or goes.
    #[cfg(test)]
    pub fn takes(&self, write: &Write) -> bool {
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

    /// What a property of a vertex is now.
    pub fn property(&self, node: Node, name: &str) -> Option<&str> {
        self.nodes.get(&node)?.get(name)?.as_deref()
    }

    /// Where edges of this label that start at a vertex end, the oldest first.
    pub fn ends(&self, label: &str, from: Node) -> Vec<Node> {
        let links = self.links.iter().filter(|(link, _)| link.label == label && link.from == from);
        let mut ends: Vec<_> = links.map(|(link, since)| (*since, link.to)).collect();
        ends.sort();
        ends.into_iter().map(|(_, to)| to).collect()
    }
}
