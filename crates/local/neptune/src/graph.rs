use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    commit::{Commit, Kind, Write},
    commit_error::{InvalidCommit, InvalidWrite},
    record::{Data, Op, Record},
    value::Value,
};

/// Neptune's label for a vertex that is added without labels.
const DEFAULT_LABEL: &str = "vertex";

/// A property graph. All collections are sorted, so that equal histories produce equal records.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Graph {
    vertices: BTreeMap<String, Vertex>,
    edges: BTreeMap<String, Edge>,
}

/// A vertex.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Vertex {
    /// At least one label.
    pub labels: BTreeSet<String>,
    /// Keyed by name.
    pub properties: BTreeMap<String, Value>,
    /// Ids of the incident edges.
    #[serde(skip)]
    edges: BTreeSet<String>,
}

/// An edge.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Edge {
    /// The label.
    pub label: String,
    /// Id of the source vertex.
    pub from: String,
    /// Id of the target vertex.
    pub to: String,
    /// Keyed by name.
    pub properties: BTreeMap<String, Value>,
}

impl Graph {
    /// Applies the writes of a commit in order and returns a record per change. A write without effect, such as a
    /// property set to its current value, makes no record. If a write is invalid, the graph stays as it was.
    pub fn apply(&mut self, commit: &Commit) -> Result<Vec<Record>, InvalidCommit> {
        let mut records = Vec::with_capacity(commit.writes.len());
        for (index, write) in commit.writes.iter().enumerate() {
            match self.plan(write) {
                Ok(planned) => {
                    planned.iter().for_each(|record| self.replay(record));
                    records.extend(planned);
                }
                Err(reason) => {
                    self.undo(&records);
                    return Err(InvalidCommit { index, reason });
                }
            }
        }
        Ok(records)
    }

    /// Reverts the changes that the last [`Self::apply`] returned.
    pub fn undo(&mut self, records: &[Record]) {
        records.iter().rev().for_each(|record| self.replay(&record.inverse()));
    }

    /// The vertices, keyed by id.
    pub fn vertices(&self) -> &BTreeMap<String, Vertex> {
        &self.vertices
    }

    /// The edges, keyed by id.
    pub fn edges(&self) -> &BTreeMap<String, Edge> {
        &self.edges
    }

    /// Applies a record. A vertex is created with its first label and deleted with its last one.
    fn replay(&mut self, record: &Record) {
        let Record { op, id, data } = record;
        match (op, data) {
            (Op::Add, Data::VertexLabel(label)) => {
                self.vertices.entry(id.clone()).or_default().labels.insert(label.clone());
            }
            (Op::Remove, Data::VertexLabel(label)) => {
                if let Some(vertex) = self.vertices.get_mut(id) {
                    vertex.labels.remove(label);
                    if vertex.labels.is_empty() {
                        self.vertices.remove(id);
                    }
                }
            }
            (Op::Add, Data::Edge { label, from, to }) => {
                let properties = BTreeMap::new();
                let edge = Edge { label: label.clone(), from: from.clone(), to: to.clone(), properties };
                self.edges.insert(id.clone(), edge);
                for end in [from, to] {
                    self.vertices.entry(end.clone()).or_default().edges.insert(id.clone());
                }
            }
            (Op::Remove, Data::Edge { from, to, .. }) => {
                self.edges.remove(id);
                for end in [from, to] {
                    if let Some(vertex) = self.vertices.get_mut(end) {
                        vertex.edges.remove(id);
                    }
                }
            }
            (op, Data::VertexProperty(key, value)) => {
                if let Some(vertex) = self.vertices.get_mut(id) {
                    replay_property(*op, &mut vertex.properties, key, value);
                }
            }
            (op, Data::EdgeProperty(key, value)) => {
                if let Some(edge) = self.edges.get_mut(id) {
                    replay_property(*op, &mut edge.properties, key, value);
                }
            }
        }
    }

    /// The records of a write.
    fn plan(&self, write: &Write) -> Result<Vec<Record>, InvalidWrite> {
        match write {
            Write::AddVertex { id, labels } => {
                not_empty(labels.iter().chain([id]))?;
                if self.vertices.contains_key(id) {
                    return Err(InvalidWrite::Duplicate { kind: Kind::Vertex, id: id.clone() });
                }
                let mut seen = BTreeSet::new();
                let mut labels: Vec<_> =
                    labels.iter().map(String::as_str).filter(|label| seen.insert(*label)).collect();
                if labels.is_empty() {
                    labels.push(DEFAULT_LABEL);
                }
                let records = labels.iter().map(|label| added(id, Data::VertexLabel((*label).to_owned())));
                Ok(records.collect())
            }
            Write::RemoveVertex { id } => self.plan_vertex_removal(id),
            Write::AddLabel { id, label } => {
                not_empty([label])?;
                let exists = self.vertex(id)?.labels.contains(label);
                Ok(if exists { vec![] } else { vec![added(id, Data::VertexLabel(label.clone()))] })
            }
            Write::RemoveLabel { id, label } => {
                let labels = &self.vertex(id)?.labels;
                if !labels.contains(label) {
                    return Err(InvalidWrite::UnknownLabel { id: id.clone(), label: label.clone() });
                }
                if labels.len() == 1 {
                    return Err(InvalidWrite::LastLabel { id: id.clone(), label: label.clone() });
                }
                Ok(vec![removed(id, Data::VertexLabel(label.clone()))])
            }
            Write::AddEdge { id, label, from, to } => {
                not_empty([id, label])?;
                if self.edges.contains_key(id) {
                    return Err(InvalidWrite::Duplicate { kind: Kind::Edge, id: id.clone() });
                }
                self.vertex(from)?;
                self.vertex(to)?;
                Ok(vec![added(id, Data::Edge { label: label.clone(), from: from.clone(), to: to.clone() })])
            }
            Write::RemoveEdge { id } => {
                let edge = self.edges.get(id).ok_or_else(|| unknown(Kind::Edge, id))?;
                Ok(removed_edge(id, edge).collect())
            }
            Write::Set { id, key, value, of } => {
                not_empty([key])?;
                if !value.is_finite() {
                    return Err(InvalidWrite::NotFinite(key.clone()));
                }
                let element = self.element(id, *of)?;
                let old = element.properties.get(key);
                if old == Some(value) {
                    return Ok(vec![]);
                }
                let old = old.map(|old| removed(id, element.property(key, old)));
                Ok(old.into_iter().chain([added(id, element.property(key, value))]).collect())
            }
            Write::RemoveProperty { id, key, of } => {
                let element = self.element(id, *of)?;
                let old = element.properties.get(key).map(|old| removed(id, element.property(key, old)));
                Ok(old.into_iter().collect())
            }
        }
    }

    /// Removes the properties of the incident edges, the edges, the vertex's properties and its labels, in this order.
    fn plan_vertex_removal(&self, id: &str) -> Result<Vec<Record>, InvalidWrite> {
        let vertex = self.vertex(id)?;
        let edges = || vertex.edges.iter().filter_map(|id| self.edges.get_key_value(id));
        let edge_properties = edges().flat_map(|(id, edge)| removed_properties(id, edge));
        let edges = edges().map(|(id, edge)| removed(id, edge.data()));
        let properties =
            vertex.properties.iter().map(|(key, value)| removed(id, Data::VertexProperty(key.clone(), value.clone())));
        let labels = vertex.labels.iter().map(|label| removed(id, Data::VertexLabel(label.clone())));
        Ok(edge_properties.chain(edges).chain(properties).chain(labels).collect())
    }

    fn vertex(&self, id: &str) -> Result<&Vertex, InvalidWrite> {
        self.vertices.get(id).ok_or_else(|| unknown(Kind::Vertex, id))
    }

    fn element(&self, id: &str, of: Option<Kind>) -> Result<Element<'_>, InvalidWrite> {
        let vertex = self.vertices.get(id).map(|vertex| Element { kind: Kind::Vertex, properties: &vertex.properties });
        let edge = self.edges.get(id).map(|edge| Element { kind: Kind::Edge, properties: &edge.properties });
        match (of, vertex, edge) {
            (None, Some(_), Some(_)) => Err(InvalidWrite::Ambiguous(id.to_owned())),
            (None, None, None) => Err(InvalidWrite::UnknownElement(id.to_owned())),
            (None | Some(Kind::Vertex), Some(found), _) | (None | Some(Kind::Edge), _, Some(found)) => Ok(found),
            (Some(kind), _, _) => Err(unknown(kind, id)),
        }
    }
}

struct Element<'a> {
    kind: Kind,
    properties: &'a BTreeMap<String, Value>,
}

impl Element<'_> {
    fn property(&self, key: &str, value: &Value) -> Data {
        let (key, value) = (key.to_owned(), value.clone());
        match self.kind {
            Kind::Vertex => Data::VertexProperty(key, value),
            Kind::Edge => Data::EdgeProperty(key, value),
        }
    }
}

impl Edge {
    fn data(&self) -> Data {
        Data::Edge { label: self.label.clone(), from: self.from.clone(), to: self.to.clone() }
    }
}

fn added(id: &str, data: Data) -> Record {
    Record { op: Op::Add, id: id.to_owned(), data }
}

fn removed(id: &str, data: Data) -> Record {
    Record { op: Op::Remove, id: id.to_owned(), data }
}

fn removed_properties<'a>(id: &'a str, edge: &'a Edge) -> impl Iterator<Item = Record> + 'a {
    edge.properties.iter().map(move |(key, value)| removed(id, Data::EdgeProperty(key.clone(), value.clone())))
}

fn removed_edge<'a>(id: &'a str, edge: &'a Edge) -> impl Iterator<Item = Record> + 'a {
    removed_properties(id, edge).chain([removed(id, edge.data())])
}

fn replay_property(op: Op, properties: &mut BTreeMap<String, Value>, key: &str, value: &Value) {
    match op {
        Op::Add => properties.insert(key.to_owned(), value.clone()),
        Op::Remove => properties.remove(key),
    };
}

fn unknown(kind: Kind, id: &str) -> InvalidWrite {
    InvalidWrite::Unknown { kind, id: id.to_owned() }
}

fn not_empty<'a>(names: impl IntoIterator<Item = &'a String>) -> Result<(), InvalidWrite> {
    if names.into_iter().any(String::is_empty) { Err(InvalidWrite::Empty) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Records in short form: `+vl p1 person`, `-ep f1 since`, `-e f1 p1>p2`.
    fn short(records: &[Record]) -> Vec<String> {
        let text = |record: &Record| {
            let op = if record.op == Op::Add { '+' } else { '-' };
            let id = &record.id;
            match &record.data {
                Data::VertexLabel(label) => format!("{op}vl {id} {label}"),
                Data::VertexProperty(key, value) => format!("{op}vp {id} {key}={}", value.to_json()),
                Data::Edge { from, to, .. } => format!("{op}e {id} {from}>{to}"),
                Data::EdgeProperty(key, value) => format!("{op}ep {id} {key}={}", value.to_json()),
            }
        };
        records.iter().map(text).collect()
    }

    fn graph(commit: Commit) -> Graph {
        let mut graph = Graph::default();
        graph.apply(&commit).unwrap();
        graph
    }

    /// Two persons. One follows the other and itself; both edges have a property.
    fn people() -> Commit {
        Commit::new()
            .add_vertex("p1", ["person", "author"])
            .add_vertex("p2", ["person"])
            .add_edge("f1", "follows", "p1", "p2")
            .add_edge("f2", "follows", "p1", "p1")
            .set("f1", "since", 1)
            .set("f2", "since", 2)
            .set("p1", "name", "미나")
    }

    fn rejected(graph: &mut Graph, commit: Commit) -> InvalidWrite {
        let before = graph.clone();
        let error = graph.apply(&commit).unwrap_err();
        assert_eq!(*graph, before, "the graph is unchanged");
        error.reason
    }

    #[test]
    fn each_label_and_property_makes_one_record() {
        let commit = Commit::new().add_vertex("p1", ["person", "author", "person"]).set("p1", "name", "x");
        let records = Graph::default().apply(&commit).unwrap();
        assert_eq!(short(&records), ["+vl p1 person", "+vl p1 author", "+vp p1 name=\"x\""]);
    }

    #[test]
    fn vertex_without_labels_gets_the_default_label() {
        let records = Graph::default().apply(&Commit::new().add_vertex("p1", [""; 0])).unwrap();
        assert_eq!(short(&records), ["+vl p1 vertex"]);
    }

    #[test]
    fn property_update_is_a_removal_and_an_addition() {
        let records = graph(people()).apply(&Commit::new().set("p1", "name", "민아").set("f1", "since", 3)).unwrap();
        assert_eq!(
            short(&records),
            ["-vp p1 name=\"미나\"", "+vp p1 name=\"민아\"", "-ep f1 since=1", "+ep f1 since=3"]
        );
    }

    #[test]
    fn value_of_another_type_is_a_change() {
        let records = graph(people()).apply(&Commit::new().set("f1", "since", 1_i64)).unwrap();
        assert_eq!(short(&records), ["-ep f1 since=1", "+ep f1 since=1"]);
    }

    #[test]
    fn write_without_effect_makes_no_record() {
        let commit = Commit::new().set("p1", "name", "미나").remove_property("p1", "age").add_label("p1", "author");
        assert_eq!(graph(people()).apply(&commit).unwrap(), []);
        assert_eq!(Graph::default().apply(&Commit::new()).unwrap(), []);
    }

    #[test]
    fn edge_removal_follows_the_removal_of_its_properties() {
        let records = graph(people()).apply(&Commit::new().remove_edge("f1")).unwrap();
        assert_eq!(short(&records), ["-ep f1 since=1", "-e f1 p1>p2"]);
    }

    #[test]
    fn vertex_removal_ends_with_its_labels() {
        let records = graph(people()).apply(&Commit::new().remove_vertex("p1")).unwrap();
        assert_eq!(
            short(&records),
            [
                "-ep f1 since=1",
                "-ep f2 since=2",
                "-e f1 p1>p2",
                "-e f2 p1>p1",
                "-vp p1 name=\"미나\"",
                "-vl p1 author",
                "-vl p1 person",
            ]
        );
    }

    #[test]
    fn last_label_cannot_be_removed() {
        let mut graph = graph(people());
        let records = graph.apply(&Commit::new().add_label("p2", "author").remove_label("p2", "person")).unwrap();
        assert_eq!(short(&records), ["+vl p2 author", "-vl p2 person"]);
        let last = rejected(&mut graph, Commit::new().remove_label("p2", "author"));
        assert_eq!(last, InvalidWrite::LastLabel { id: "p2".into(), label: "author".into() });
        let unknown = rejected(&mut graph, Commit::new().remove_label("p2", "person"));
        assert_eq!(unknown, InvalidWrite::UnknownLabel { id: "p2".into(), label: "person".into() });
    }

    #[test]
    fn invalid_write_reverts_the_whole_commit() {
        let mut graph = graph(people());
        let unknown = |kind, id: &str| InvalidWrite::Unknown { kind, id: id.into() };
        let before = || {
            Commit::new().set("p1", "name", "x").remove_vertex("p1").add_vertex("p1", ["ghost"]).add_vertex("p9", ["x"])
        };
        for (commit, reason) in [
            (before().add_edge("f9", "follows", "p2", "p3"), unknown(Kind::Vertex, "p3")),
            (before().add_edge("f9", "follows", "p3", "p2"), unknown(Kind::Vertex, "p3")),
            (before().add_vertex("p2", ["x"]), InvalidWrite::Duplicate { kind: Kind::Vertex, id: "p2".into() }),
            (before().remove_edge("f1"), unknown(Kind::Edge, "f1")),
            (before().remove_vertex("p3"), unknown(Kind::Vertex, "p3")),
            (before().set("p3", "name", "x"), InvalidWrite::UnknownElement("p3".into())),
            (before().remove_property("p3", "name"), InvalidWrite::UnknownElement("p3".into())),
            (before().set("p2", "", "x"), InvalidWrite::Empty),
            (before().add_vertex("p4", [""]), InvalidWrite::Empty),
            (before().set("p2", "height", f64::NAN), InvalidWrite::NotFinite("height".into())),
        ] {
            assert_eq!(rejected(&mut graph, commit), reason);
        }
        let duplicate = Commit::new().add_edge("f1", "follows", "p1", "p2");
        let reason = InvalidWrite::Duplicate { kind: Kind::Edge, id: "f1".into() };
        assert_eq!(rejected(&mut graph, duplicate), reason);
        let error = graph.apply(&before().remove_vertex("p3")).unwrap_err();
        assert_eq!(error.to_string(), "write 4: there is no vertex p3");
    }

    #[test]
    fn shared_id_of_vertex_and_edge_needs_a_kind() {
        let mut graph = graph(people().add_vertex("f1", ["file"]));
        assert_eq!(rejected(&mut graph, Commit::new().set("f1", "since", 9)), InvalidWrite::Ambiguous("f1".into()));
        let set = |of| Write::Set { id: "f1".into(), key: "since".into(), value: 9.into(), of: Some(of) };
        let records = graph.apply(&Commit::new().then(set(Kind::Vertex)).then(set(Kind::Edge))).unwrap();
        assert_eq!(short(&records), ["+vp f1 since=9", "-ep f1 since=1", "+ep f1 since=9"]);
    }

    /// Any write to a few ids, so that many writes are invalid or have no effect.
    pub(crate) fn write() -> impl Strategy<Value = Write> {
        let vertex = || "[a-c]";
        let edge = || "[c-e]";
        let label = || "[xy]";
        let of = || prop_oneof![Just(None), Just(Some(Kind::Vertex)), Just(Some(Kind::Edge))];
        prop_oneof![
            (vertex(), prop::collection::vec(label(), 0..3)).prop_map(|(id, labels)| Write::AddVertex { id, labels }),
            vertex().prop_map(|id| Write::RemoveVertex { id }),
            (vertex(), label()).prop_map(|(id, label)| Write::AddLabel { id, label }),
            (vertex(), label()).prop_map(|(id, label)| Write::RemoveLabel { id, label }),
            (edge(), label(), vertex(), vertex()).prop_map(|(id, label, from, to)| Write::AddEdge {
                id,
                label,
                from,
                to
            }),
            edge().prop_map(|id| Write::RemoveEdge { id }),
            ("[a-e]", "[kl]", 0..3_i32, of()).prop_map(|(id, key, value, of)| Write::Set {
                id,
                key,
                value: value.into(),
                of
            }),
            ("[a-e]", "[kl]", of()).prop_map(|(id, key, of)| Write::RemoveProperty { id, key, of }),
        ]
    }

    /// The graph as a reader of the stream rebuilds it. Asserts that additions are new and that removals match.
    #[derive(Debug, Default, PartialEq)]
    struct Reader {
        labels: BTreeSet<(String, String)>,
        vertex_properties: BTreeMap<(String, String), String>,
        edges: BTreeMap<String, (String, String, String)>,
        edge_properties: BTreeMap<(String, String), String>,
    }

    impl Reader {
        fn of(graph: &Graph) -> Self {
            let mut reader = Self::default();
            for (id, vertex) in &graph.vertices {
                assert!(!vertex.labels.is_empty(), "{id} has no label");
                reader.labels.extend(vertex.labels.iter().map(|label| (id.clone(), label.clone())));
                for (key, value) in &vertex.properties {
                    reader.vertex_properties.insert((id.clone(), key.clone()), format!("{value:?}"));
                }
            }
            for (id, edge) in &graph.edges {
                let ends = (edge.label.clone(), edge.from.clone(), edge.to.clone());
                reader.edges.insert(id.clone(), ends);
                for (key, value) in &edge.properties {
                    reader.edge_properties.insert((id.clone(), key.clone()), format!("{value:?}"));
                }
            }
            reader
        }

        fn read(&mut self, record: &Record) {
            let id = record.id.clone();
            let property = |map: &mut BTreeMap<_, _>, key: &String, value: &Value| {
                let (key, value) = ((record.id.clone(), key.clone()), format!("{value:?}"));
                match record.op {
                    Op::Add => assert_eq!(map.insert(key, value), None),
                    Op::Remove => assert_eq!(map.remove(&key), Some(value)),
                }
            };
            match (&record.data, record.op) {
                (Data::VertexLabel(label), Op::Add) => assert!(self.labels.insert((id, label.clone()))),
                (Data::VertexLabel(label), Op::Remove) => assert!(self.labels.remove(&(id, label.clone()))),
                (Data::Edge { label, from, to }, op) => {
                    let edge = (label.clone(), from.clone(), to.clone());
                    for end in [from, to] {
                        assert!(self.labels.iter().any(|(vertex, _)| vertex == end), "{end} does not exist");
                    }
                    match op {
                        Op::Add => assert_eq!(self.edges.insert(id, edge), None),
                        Op::Remove => assert_eq!(self.edges.remove(&id), Some(edge)),
                    }
                }
                (Data::VertexProperty(key, value), _) => property(&mut self.vertex_properties, key, value),
                (Data::EdgeProperty(key, value), _) => property(&mut self.edge_properties, key, value),
            }
        }
    }

    proptest! {
        #[test]
        fn records_in_order_rebuild_the_graph(
            commits in prop::collection::vec(prop::collection::vec(write(), 1..4), 0..60),
        ) {
            let mut graph = Graph::default();
            let mut reader = Reader::default();
            for writes in commits {
                let before = graph.clone();
                match graph.apply(&Commit { writes, ..Commit::new() }) {
                    Ok(records) => {
                        records.iter().for_each(|record| reader.read(record));
                        prop_assert_eq!(&reader, &Reader::of(&graph));
                        let mut reverted = graph.clone();
                        reverted.undo(&records);
                        prop_assert_eq!(reverted, before);
                    }
                    Err(_) => prop_assert_eq!(&graph, &before),
                }
            }
        }
    }
}
