use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

use crate::model::{Executed, Link, Node, Write, initial_writes, writes};

/// The vertices and edges of a history by their ids.
pub struct Ids {
    nodes: BTreeMap<String, Node>,
    links: BTreeMap<String, Link>,
}

impl Ids {
    /// Those that a history has added. `node_id` and `link_id` return their ids.
    pub fn of(history: &[Executed], node_id: impl Fn(Node) -> String, link_id: impl Fn(Link) -> String) -> Self {
        let (mut nodes, mut links) = (BTreeMap::new(), BTreeMap::new());
        let later = history.iter().flat_map(|executed| writes(&executed.operation));
        for write in initial_writes().into_iter().chain(later) {
            match write {
                Write::Add(node) => drop(nodes.insert(node_id(node), node)),
                Write::Link(link) => drop(links.insert(link_id(link), link)),
                _ => {}
            }
        }
        Self { nodes, links }
    }

    /// The vertex with this id.
    pub fn node(&self, id: &str) -> Result<Node> {
        self.nodes.get(id).copied().with_context(|| format!("unknown vertex: {id}"))
    }

    /// The edge with this id.
    pub fn link(&self, id: &str) -> Result<Link> {
        self.links.get(id).copied().with_context(|| format!("unknown edge: {id}"))
    }

    /// The number of the person with this id.
    pub fn person(&self, id: &str) -> Result<usize> {
        match self.node(id)? {
            Node::Person(person) => Ok(person),
            other => bail!("{other:?} is no person"),
        }
    }
}
