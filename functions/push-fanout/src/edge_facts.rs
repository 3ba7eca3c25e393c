use std::collections::HashMap;

use domain::push::{Event, Registers, Row, Vertex, edge_still_exists};

/// Projected facts about the two vertices of an event's edge.
pub struct EdgeFacts {
    pub source: Vertex,
    pub target: Vertex,
}

impl EdgeFacts {
    /// Rows that [`EdgeFacts::of`] needs.
    pub fn rows(event: &Event) -> Vec<Row> {
        vec![Row::Edge(event.edge.clone()), Row::Vertex(event.from.clone()), Row::Vertex(event.to.clone())]
    }

    /// Facts in `found`. `None` if the edge is gone, or was added again by a later event.
    pub fn of(event: &Event, found: &HashMap<Row, Registers>) -> Option<Self> {
        let edge = found.get(&Row::Edge(event.edge.clone()))?;
        edge_still_exists(edge, event.position).then(|| Self {
            source: vertex(found, &Row::Vertex(event.from.clone())),
            target: vertex(found, &Row::Vertex(event.to.clone())),
        })
    }
}

/// Facts about a vertex; none if it has no row.
pub fn vertex(found: &HashMap<Row, Registers>, row: &Row) -> Vertex {
    found.get(row).map(Vertex::from).unwrap_or_default()
}
