//! Converts rows of the graph to changes.

use std::collections::{BTreeMap, HashMap};

use aws_smithy_types::{Document, Number};
use domain::graph::{Change, ChangeKind, EdgeEndpoints, EntityKind, Labels, Position, PropertyChange, Value};
use jiff::Timestamp;

use super::request::{DefaultVisibility, ExportRequest};

/// Before all positions of the stream, whose commit numbers start at 1.
const BEFORE_THE_STREAM: Position = Position::new(0, 0);

/// The longest id that a consumer can store: DynamoDB's longest partition key.
const MAX_ID_BYTES: usize = 2_048;

/// A row of a page.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// A vertex.
    Vertex(Vertex),
    /// An edge.
    Edge(Edge),
}

/// A vertex with searchable data.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vertex {
    id: String,
    labels: Vec<String>,
    name: Option<String>,
    title: Option<String>,
    has_visibility: bool,
    /// `None` if it is not a string.
    visibility: Option<String>,
}

/// An edge `told`, `tagged`, `follows` or `blocks`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edge {
    id: String,
    label: String,
    from: String,
    to: String,
    /// `createdAt` of the edge, or else of the story.
    told_at: Option<Timestamp>,
}

/// The result of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportedRow {
    /// The change; `None` if the row has nothing to export.
    pub change: Option<Change>,
    /// The row has a title that is not exported for lack of a visibility.
    pub is_undecided: bool,
    /// The row has no date.
    pub is_undated: bool,
    /// An id is too long.
    pub is_skipped: bool,
}

type Fields = HashMap<String, Document>;

impl Row {
    /// The id of the vertex or edge.
    pub fn id(&self) -> &str {
        match self {
            Self::Vertex(vertex) => &vertex.id,
            Self::Edge(edge) => &edge.id,
        }
    }

    /// Converts the row to a change.
    pub fn export(&self, request: &ExportRequest) -> ExportedRow {
        match self {
            Self::Vertex(vertex) => vertex.export(request),
            Self::Edge(edge) => edge.export(request),
        }
    }
}

impl Vertex {
    /// Parses a row.
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

    fn export(&self, request: &ExportRequest) -> ExportedRow {
        let is_skipped = self.id.len() > MAX_ID_BYTES;
        let is_undecided = self.title.is_some() && !self.has_visibility && request.without_visibility.is_none();
        let mut properties = BTreeMap::new();
        let mut set = |name: &str, value: Option<&String>| {
            let after = value.map(|text| Value::String(text.clone())).into_iter().collect();
            properties.insert(name.to_owned(), PropertyChange { before: Vec::new(), after });
        };
        if let Some(name) = &self.name {
            set("name", Some(name));
        }
        if let Some(title) = self.title.as_ref().filter(|_| !is_undecided) {
            set("title", Some(title));
            // A visibility without a value means private.
            if !self.has_visibility && request.without_visibility == Some(DefaultVisibility::Private) {
                set("visibility", None);
            }
        }
        if self.has_visibility {
            set("visibility", self.visibility.as_ref());
        }
        let is_searchable_by_label = self.labels.iter().any(|label| matches!(label.as_str(), "person" | "tag"));
        let has_data = is_searchable_by_label || !properties.is_empty();
        let change = Change {
            position: request.lost_until.unwrap_or(BEFORE_THE_STREAM),
            labels: Labels { added: self.labels.clone(), ..Labels::default() },
            properties,
            ..change(EntityKind::Vertex, &self.id, request.undated_at)
        };
        ExportedRow { change: (has_data && !is_skipped).then_some(change), is_undecided, is_undated: false, is_skipped }
    }
}

impl Edge {
    /// Parses a row.
    pub fn read(row: &Fields) -> Option<Self> {
        let text = |name| row.get(name).and_then(Document::as_string).map(str::to_owned);
        let told_at = ["toldAt", "createdAt"].into_iter().find_map(|name| time(row.get(name)?));
        Some(Self { id: text("id")?, label: text("label")?, from: text("from")?, to: text("to")?, told_at })
    }

    fn export(&self, request: &ExportRequest) -> ExportedRow {
        let is_skipped = [&self.id, &self.from, &self.to].into_iter().any(|id| id.len() > MAX_ID_BYTES);
        let change = Change {
            labels: Labels { added: vec![self.label.clone()], ..Labels::default() },
            ends: Some(EdgeEndpoints { from: self.from.clone(), to: self.to.clone() }),
            ..change(EntityKind::Edge, &self.id, self.told_at.unwrap_or(request.undated_at))
        };
        let is_undated = !is_skipped && self.label == "told" && self.told_at.is_none();
        ExportedRow { change: (!is_skipped).then_some(change), is_undecided: false, is_undated, is_skipped }
    }
}

fn label(label: &Document) -> Option<String> {
    label.as_string().map(str::to_owned)
}

fn change(kind: EntityKind, id: &str, at: Timestamp) -> Change {
    let change = Change::new(BEFORE_THE_STREAM, at.as_millisecond(), kind, id.to_owned());
    Change { change_kind: ChangeKind::Added, ..change }
}

/// Parses a time: RFC 3339 text, or milliseconds since 1970.
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

    /// The exported properties: names, with the text of the value if it has one.
    fn properties(vertex: &Vertex, request: &ExportRequest) -> Vec<(String, Option<String>)> {
        let properties = vertex.export(request).change.map(|change| change.properties).unwrap_or_default();
        let text =
            |property: PropertyChange| property.after.first().and_then(|value| value.as_str().map(str::to_owned));
        properties.into_iter().map(|(name, property)| (name, text(property))).collect()
    }

    fn property(name: &str, text: Option<&str>) -> (String, Option<String>) {
        (name.to_owned(), text.map(str::to_owned))
    }

    #[test]
    fn title_is_exported_with_its_visibility() {
        let (request, title) = (ExportRequest::default(), property("title", Some("첫눈")));
        let followers = property("visibility", Some("followers"));
        assert_eq!(properties(&story(Some("followers")), &request), [title.clone(), followers]);
        let unreadable = Vertex { has_visibility: true, ..story(None) };
        assert_eq!(properties(&unreadable, &request), [title, property("visibility", None)]);
    }

    #[test]
    fn title_without_visibility_is_exported_by_the_request() {
        let request = |without_visibility| ExportRequest { without_visibility, ..ExportRequest::default() };
        let undecided = story(None).export(&request(None));
        assert_eq!((undecided.change, undecided.is_undecided), (None, true));
        let title = property("title", Some("첫눈"));
        let public = properties(&story(None), &request(Some(DefaultVisibility::Public)));
        assert_eq!(public, std::slice::from_ref(&title));
        let private = properties(&story(None), &request(Some(DefaultVisibility::Private)));
        assert_eq!(private, [title, property("visibility", None)]);
    }

    #[test]
    fn person_is_exported_with_name() {
        let person =
            Vertex { id: "p".into(), labels: vec!["person".into()], name: Some("미나".into()), ..Vertex::default() };
        let change = person.export(&ExportRequest::default()).change.expect("a change");
        assert_eq!(
            (change.position, change.labels.added.as_slice()),
            (Position::new(0, 0), &["person".to_owned()][..])
        );
        assert_eq!(properties(&person, &ExportRequest::default()), [property("name", Some("미나"))]);
    }

    #[test]
    fn vertex_is_exported_at_the_end_of_a_lost_range_and_edge_before_the_stream() {
        let request = ExportRequest { lost_until: Some(Position::new(12, 3)), ..ExportRequest::default() };
        let vertex = story(Some("private")).export(&request).change.expect("a change");
        assert_eq!(vertex.position, Position::new(12, 3));
        // The stream's edges have the times of their commits, which the graph may not have.
        let edge = Edge { id: "e".into(), label: "told".into(), ..Edge::default() };
        assert_eq!(edge.export(&request).change.expect("a change").position, Position::new(0, 0));
    }

    #[test]
    fn edge_date_is_its_own_or_the_story_or_the_request_date() {
        let number = |number: u64| Document::Number(Number::PosInt(number));
        let read = |label: &str, dates: &[(&str, Document)]| {
            let ids = [("id", "e"), ("label", label), ("from", "p"), ("to", "s")]
                .map(|(name, text)| (name.to_owned(), Document::String(text.to_owned())));
            let dates = dates.iter().map(|(name, date)| ((*name).to_owned(), date.clone()));
            Edge::read(&ids.into_iter().chain(dates).collect()).expect("an edge").export(&ExportRequest::default())
        };
        let date = Document::String("2019-06-08T16:33:30.678Z".to_owned());
        for (dates, at, is_undated) in [
            (&[("toldAt", number(7)), ("createdAt", date.clone())][..], 7, false),
            (&[("toldAt", Document::Null), ("createdAt", date)], 1_560_011_610_678, false),
            (&[("toldAt", Document::String("then".to_owned()))], 0, true),
            (&[("createdAt", number(u64::MAX))], 0, true),
        ] {
            let row = read("told", dates);
            assert_eq!((row.change.expect("a change").commit_timestamp_ms, row.is_undated), (at, is_undated));
        }
        let tagged = read("tagged", &[]);
        assert_eq!(
            (tagged.change.expect("a change").labels.added, tagged.is_undated),
            (vec!["tagged".to_owned()], false)
        );
    }

    #[test]
    fn row_with_too_long_id_is_skipped() {
        let vertex = Vertex { id: "가".repeat(683), ..story(Some("public")) };
        let row = vertex.export(&ExportRequest::default());
        assert_eq!((row.change, row.is_skipped), (None, true));
        let edge = Edge { to: "가".repeat(683), ..Edge::default() };
        assert!(edge.export(&ExportRequest::default()).is_skipped);
    }
}
