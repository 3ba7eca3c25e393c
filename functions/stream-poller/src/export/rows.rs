//! Rows of the graph into the changes that would have told them.

use std::collections::{BTreeMap, HashMap};

use aws_smithy_types::{Document, Number};
use domain::graph::{Change, ChangeKind, EdgeEndpoints, EntityKind, Labels, Position, PropertyChange, Value};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ExportRequest;

/// Before all that a stream tells: its commits are numbered from 1.
const BEFORE_THE_STREAM: Position = Position::new(0, 0);

/// The longest id that a consumer can keep: DynamoDB's longest key.
const MAX_ID_BYTES: usize = 2_048;

/// What a title's vertex is that has no `visibility`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DefaultVisibility {
    /// It never had one: everybody may see it.
    Public,
    /// It may have lost it: nobody else may see it.
    Private,
}

/// A row of either part.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// Of the vertices.
    Vertex(Vertex),
    /// Of the edges.
    Edge(Edge),
}

/// A vertex with anything that can be found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vertex {
    id: String,
    labels: Vec<String>,
    name: Option<String>,
    title: Option<String>,
    has_visibility: bool,
    /// If it is a text.
    visibility: Option<String>,
}

/// An edge `told` or `tagged`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edge {
    id: String,
    label: String,
    from: String,
    to: String,
    /// The edge's own `createdAt`, or else the story's.
    told_at: Option<Timestamp>,
}

/// What is told of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportedRow {
    /// The change, if anything is told.
    pub change: Option<Change>,
    /// It has a title that is not told.
    pub is_undecided: bool,
    /// Nobody knows when it was told.
    pub is_undated: bool,
    /// Its id is too long.
    pub is_skipped: bool,
}

type Fields = HashMap<String, Document>;

impl Row {
    /// The vertex's or the edge's id.
    pub fn id(&self) -> &str {
        match self {
            Self::Vertex(vertex) => &vertex.id,
            Self::Edge(edge) => &edge.id,
        }
    }

    /// What is told of it.
    pub fn told(&self, order: &ExportRequest) -> ExportedRow {
        match self {
            Self::Vertex(vertex) => vertex.told(order),
            Self::Edge(edge) => edge.told(order),
        }
    }
}

impl Vertex {
    /// Reads a row.
    pub fn read(row: &Fields) -> Option<Self> {
        let text = |name| row.get(name).and_then(Document::as_string).map(str::to_owned);
        Some(Self {
            id: text("id")?,
            labels: row.get("labels")?.as_array()?.iter().map(label).collect::<Option<_>>()?,
            name: text("name"),
            title: text("title"),
            has_visibility: row.get("hasVisibility")?.as_bool()?,
            visibility: text("visibility"),
        })
    }

    fn told(&self, order: &ExportRequest) -> ExportedRow {
        let is_skipped = self.id.len() > MAX_ID_BYTES;
        let is_undecided = self.title.is_some() && !self.has_visibility && order.without_visibility.is_none();
        let mut properties = BTreeMap::new();
        let mut say = |name: &str, value: Option<&String>| {
            let after = value.map(|text| Value::String(text.clone())).into_iter().collect();
            properties.insert(name.to_owned(), PropertyChange { before: Vec::new(), after });
        };
        if let Some(name) = &self.name {
            say("name", Some(name));
        }
        if let Some(title) = self.title.as_ref().filter(|_| !is_undecided) {
            say("title", Some(title));
            if !self.has_visibility && order.without_visibility == Some(DefaultVisibility::Private) {
                say("visibility", None);
            }
        }
        if self.has_visibility {
            say("visibility", self.visibility.as_ref());
        }
        let is_listed = self.labels.iter().any(|label| matches!(label.as_str(), "person" | "tag"));
        let says_something = is_listed || !properties.is_empty();
        let change = Change {
            labels: Labels { added: self.labels.clone(), ..Labels::default() },
            properties,
            ..change(EntityKind::Vertex, &self.id, order.undated_at)
        };
        ExportedRow {
            change: (says_something && !is_skipped).then_some(change),
            is_undecided,
            is_undated: false,
            is_skipped,
        }
    }
}

impl Edge {
    /// Reads a row.
    pub fn read(row: &Fields) -> Option<Self> {
        let text = |name| row.get(name).and_then(Document::as_string).map(str::to_owned);
        let told_at = ["toldAt", "createdAt"].into_iter().find_map(|name| time(row.get(name)?));
        Some(Self { id: text("id")?, label: text("label")?, from: text("from")?, to: text("to")?, told_at })
    }

    fn told(&self, order: &ExportRequest) -> ExportedRow {
        let is_skipped = [&self.id, &self.from, &self.to].into_iter().any(|id| id.len() > MAX_ID_BYTES);
        let change = Change {
            labels: Labels { added: vec![self.label.clone()], ..Labels::default() },
            ends: Some(EdgeEndpoints { from: self.from.clone(), to: self.to.clone() }),
            ..change(EntityKind::Edge, &self.id, self.told_at.unwrap_or(order.undated_at))
        };
        let is_undated = !is_skipped && self.label == "told" && self.told_at.is_none();
        ExportedRow { change: (!is_skipped).then_some(change), is_undecided: false, is_undated, is_skipped }
    }
}

fn label(label: &Document) -> Option<String> {
    label.as_string().map(str::to_owned)
}

fn change(kind: EntityKind, id: &str, at: Timestamp) -> Change {
    Change {
        position: BEFORE_THE_STREAM,
        commit_timestamp_ms: at.as_millisecond(),
        kind,
        entity_id: id.to_owned(),
        change_kind: ChangeKind::Added,
        labels: Labels::default(),
        ends: None,
        ends_before: None,
        properties: BTreeMap::new(),
        properties_omitted: 0,
    }
}

/// A time: as a date's text, or as a whole number of milliseconds since 1970.
fn time(value: &Document) -> Option<Timestamp> {
    match value {
        Document::String(text) => text.parse().ok(),
        Document::Number(Number::PosInt(number)) => Timestamp::from_millisecond(i64::try_from(*number).ok()?).ok(),
        Document::Number(Number::NegInt(number)) => Timestamp::from_millisecond(*number).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn story(visibility: Option<&str>) -> Vertex {
        Vertex {
            id: "s1".to_owned(),
            title: Some("첫눈".to_owned()),
            has_visibility: visibility.is_some(),
            visibility: visibility.map(str::to_owned),
            ..Vertex::default()
        }
    }

    /// Properties of what is told: a name, and the text if it has one.
    fn said(vertex: &Vertex, order: &ExportRequest) -> Vec<(String, Option<String>)> {
        let change = vertex.told(order).change.map(|change| change.properties).unwrap_or_default();
        let text =
            |property: PropertyChange| property.after.first().and_then(|value| value.as_str().map(str::to_owned));
        change.into_iter().map(|(name, property)| (name, text(property))).collect()
    }

    fn pair(name: &str, text: Option<&str>) -> (String, Option<String>) {
        (name.to_owned(), text.map(str::to_owned))
    }

    #[test]
    fn a_title_is_told_with_who_may_see_it() {
        let (order, title) = (ExportRequest::default(), pair("title", Some("첫눈")));
        let followers = pair("visibility", Some("followers"));
        assert_eq!(said(&story(Some("followers")), &order), [title.clone(), followers]);
        // Set, but to nothing that can be read.
        let odd = Vertex { has_visibility: true, ..story(None) };
        assert_eq!(said(&odd, &order), [title, pair("visibility", None)]);
    }

    #[test]
    fn without_a_visibility_somebody_decides() {
        let decided = |without_visibility| ExportRequest { without_visibility, ..ExportRequest::default() };
        let nobody = story(None).told(&decided(None));
        assert_eq!((nobody.change, nobody.is_undecided), (None, true));
        let title = pair("title", Some("첫눈"));
        assert_eq!(said(&story(None), &decided(Some(DefaultVisibility::Public))), std::slice::from_ref(&title));
        assert_eq!(said(&story(None), &decided(Some(DefaultVisibility::Private))), [title, pair("visibility", None)]);
    }

    #[test]
    fn a_person_is_told_with_their_name() {
        let person =
            Vertex { id: "p".into(), labels: vec!["person".into()], name: Some("미나".into()), ..Vertex::default() };
        let change = person.told(&ExportRequest::default()).change.expect("a change");
        assert_eq!(
            (change.position, change.labels.added.as_slice()),
            (Position::new(0, 0), &["person".to_owned()][..])
        );
        assert_eq!(said(&person, &ExportRequest::default()), [pair("name", Some("미나"))]);
    }

    #[test]
    fn an_edge_is_dated_by_itself_then_by_its_story_then_by_the_order() {
        let number = |number: u64| Document::Number(Number::PosInt(number));
        let read = |label: &str, dates: &[(&str, Document)]| {
            let ids = [("id", "e"), ("label", label), ("from", "p"), ("to", "s")]
                .map(|(name, text)| (name.to_owned(), Document::String(text.to_owned())));
            let dates = dates.iter().map(|(name, date)| ((*name).to_owned(), date.clone()));
            Edge::read(&ids.into_iter().chain(dates).collect()).expect("an edge").told(&ExportRequest::default())
        };
        let date = Document::String("2019-06-08T16:33:30.678Z".to_owned());
        for (dates, at, is_undated) in [
            (&[("toldAt", number(7)), ("createdAt", date.clone())][..], 7, false),
            (&[("toldAt", Document::Null), ("createdAt", date)], 1_560_011_610_678, false),
            (&[("toldAt", Document::String("then".to_owned()))], 0, true),
            (&[("createdAt", number(u64::MAX))], 0, true),
        ] {
            let told = read("told", dates);
            assert_eq!((told.change.expect("a change").commit_timestamp_ms, told.is_undated), (at, is_undated));
        }
        let tagged = read("tagged", &[]);
        assert_eq!(
            (tagged.change.expect("a change").labels.added, tagged.is_undated),
            (vec!["tagged".to_owned()], false)
        );
    }

    #[test]
    fn what_no_consumer_can_keep_is_counted() {
        let long = Vertex { id: "가".repeat(683), ..story(Some("public")) };
        let told = long.told(&ExportRequest::default());
        assert_eq!((told.change, told.is_skipped), (None, true));
        let edge = Edge { to: "가".repeat(683), ..Edge::default() };
        assert!(edge.told(&ExportRequest::default()).is_skipped);
    }
}
