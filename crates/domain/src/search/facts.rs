//! What a change says of what can be found.

use std::collections::BTreeMap;

use super::{GenerationPosition, MAX_TEXT_BYTES, Register, clean};
use crate::{
    graph::{Change, ChangeKind, EdgeEndpoints, EntityKind},
    push::truncate,
    visibility::{self, VISIBILITY},
};

/// The registers of an entry; for each edge by which somebody told it there is one more, named
/// [`TOLD`] and the edge's id, and for each by which it was tagged one named [`TAGGED`] and the
/// edge's id.
pub(super) const NAME: &str = "name";
pub(super) const TITLE: &str = "title";
pub(super) const PERSON: &str = "person";
/// Its value: when it was published, in milliseconds since 1970, a space, and who told it.
pub(super) const TOLD: &str = "told#";
pub(super) const TAG: &str = "tag";
/// Its value: the tag's id.
pub(super) const TAGGED: &str = "tagged#";

/// One register of one vertex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The vertex's id.
    pub vertex: String,
    /// The register's name.
    pub name: String,
    /// What it says, and since when.
    pub register: Register,
}

/// The facts that a change from `cluster` tells. No two are of one register; most changes tell
/// none.
pub fn facts(cluster: &str, change: &Change) -> Vec<Fact> {
    let stamp = GenerationPosition::of(cluster, change.position);
    let mut registers = BTreeMap::new();
    match change.kind {
        EntityKind::Vertex => of_vertex(change, &mut registers),
        EntityKind::Edge => of_edge(change, &mut registers),
    }
    let fact = |((vertex, name), value)| Fact { vertex, name, register: Register { stamp, value } };
    registers.into_iter().map(fact).collect()
}

/// Values by vertex and register.
type Values = BTreeMap<(String, String), Option<String>>;

fn of_vertex(change: &Change, values: &mut Values) {
    let mut say = |name: &str, value| drop(values.insert((change.entity_id.clone(), name.to_owned()), value));
    for name in [NAME, TITLE] {
        if let Some(property) = change.properties.get(name) {
            // What is no text, or was too long for the bus, is as good as none.
            let text = property.after.first().and_then(|value| value.as_str()).map(clean);
            say(name, text.filter(|text| !text.is_empty()).map(|text| truncate(&text, MAX_TEXT_BYTES)));
        }
    }
    if let Some(said) = visibility::said(change) {
        say(VISIBILITY, said.map(|visibility| visibility.as_str().to_owned()));
    }
    let labels = &change.labels;
    for name in [PERSON, TAG] {
        if labels.removed.iter().any(|label| label == name) {
            say(name, None);
        }
        if labels.added.iter().chain(&labels.kept).any(|label| label == name) {
            say(name, Some(String::new()));
        }
    }
}

fn of_edge(change: &Change, values: &mut Values) {
    let id = &change.entity_id;
    of_label("told", change, |EdgeEndpoints { from, to }, holds| {
        let value = holds.then(|| format!("{} {from}", change.commit_timestamp_ms));
        values.insert((to.clone(), format!("{TOLD}{id}")), value);
    });
    of_label("tagged", change, |EdgeEndpoints { from, to }, holds| {
        values.insert((from.clone(), format!("{TAGGED}{id}")), holds.then(|| to.clone()));
    });
}

/// Says between which vertices the edge is not any more, and then, between which it is.
fn of_label(label: &str, change: &Change, mut say: impl FnMut(&EdgeEndpoints, bool)) {
    let (labels, now) = (&change.labels, change.ends.as_ref());
    let before = change.ends_before.as_ref().or(now);
    let is_of = |labels: &[String]| labels.iter().any(|other| other == label);
    // Where an edge went elsewhere under its label, it is gone from where it was.
    let has_moved = is_of(&labels.kept) && change.ends_before.is_some();
    // What has come last overrides what is gone: both can concern one register.
    if is_of(&labels.removed) || has_moved {
        before.into_iter().for_each(|ends| say(ends, false));
    }
    if is_of(&labels.added) || has_moved {
        now.into_iter().for_each(|ends| say(ends, change.what != ChangeKind::Removed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        graph::{Position, PropertyChange, Value},
        search::testing::{edge, vertex},
    };

    fn said(change: &Change) -> Vec<(String, String, Option<String>)> {
        facts("main", change).into_iter().map(|fact| (fact.vertex, fact.name, fact.register.value)).collect()
    }

    fn one(vertex: &str, name: &str, value: Option<&str>) -> Vec<(String, String, Option<String>)> {
        vec![(vertex.to_owned(), name.to_owned(), value.map(str::to_owned))]
    }

    #[test]
    fn only_what_is_listed_is_told() {
        let mut change = vertex(1, "p", NAME, Some("Mina"));
        for (name, value) in [("email", "mina@example.com"), ("phone", "010"), ("body", "…")] {
            let after = vec![Value::String(value.to_owned())];
            change.properties.insert(name.to_owned(), PropertyChange { before: vec![], after });
        }
        assert_eq!(said(&change), one("p", NAME, Some("Mina")));
        assert!(said(&edge(ChangeKind::Added, 1, "e", "likes", "jun", "s")).is_empty());
        assert!(said(&edge(ChangeKind::Added, 1, "e", "wrote", "jun", "c")).is_empty());
    }

    #[test]
    fn a_text_is_clean_and_not_too_long() {
        let title = |text: &str| facts("main", &vertex(1, "s", TITLE, Some(text))).remove(0).register.value;
        assert_eq!(title(" \u{1109}\u{1165}\u{110b}\u{116e}\u{11af}\n에서 "), Some("서울 에서".to_owned()));
        assert_eq!(title("\u{0}"), None);
        let long = title(&"가".repeat(100_000)).expect("a title");
        assert!(long.len() <= MAX_TEXT_BYTES && long.ends_with('…'));
    }

    #[test]
    fn what_is_no_text_is_none() {
        let mut change = vertex(1, "s", TITLE, Some("첫눈"));
        change.properties.values_mut().for_each(|property| property.after = vec![Value::Int(7)]);
        assert_eq!(said(&change), one("s", TITLE, None));
    }

    #[test]
    fn who_told_it_and_when() {
        let told = said(&edge(ChangeKind::Added, 3, "e", "told", "mina", "s"));
        assert_eq!(told, one("s", "told#e", Some("1795305600000 mina")));
        assert_eq!(said(&edge(ChangeKind::Removed, 4, "e", "told", "mina", "s")), one("s", "told#e", None));
        assert!(
            said(&edge(ChangeKind::Changed, 4, "e", "told", "mina", "s")).is_empty(),
            "removed and added as it was"
        );
        let mut moved = edge(ChangeKind::Changed, 5, "e", "told", "mina", "t");
        moved.ends_before = Some(EdgeEndpoints { from: "mina".into(), to: "s".into() });
        let expected = [one("s", "told#e", None), one("t", "told#e", Some("1795305600000 mina"))].concat();
        assert_eq!(said(&moved), expected);
    }

    #[test]
    fn a_story_knows_its_tags() {
        assert_eq!(said(&edge(ChangeKind::Added, 3, "e", "tagged", "s", "snow")), one("s", "tagged#e", Some("snow")));
        assert_eq!(said(&edge(ChangeKind::Removed, 4, "e", "tagged", "s", "snow")), one("s", "tagged#e", None));
        let mut moved = edge(ChangeKind::Changed, 5, "e", "tagged", "s", "rain");
        moved.ends_before = Some(EdgeEndpoints { from: "s".into(), to: "snow".into() });
        assert_eq!(said(&moved), one("s", "tagged#e", Some("rain")));
    }

    #[test]
    fn what_is_not_known_is_not_public() {
        assert_eq!(said(&vertex(1, "s", VISIBILITY, Some("followers"))), one("s", VISIBILITY, Some("followers")));
        assert_eq!(said(&vertex(1, "s", VISIBILITY, Some("friends"))), one("s", VISIBILITY, None));
        assert_eq!(said(&vertex(1, "s", VISIBILITY, None)), one("s", VISIBILITY, None));
        let mut truncated = vertex(1, "s", "other", Some("x"));
        truncated.properties_omitted = 3;
        assert_eq!(said(&truncated), one("s", VISIBILITY, None));
    }

    #[test]
    fn a_fact_is_of_its_changes_generation() {
        let fact = facts("main.2", &vertex(7, "p", NAME, Some("Mina"))).remove(0);
        assert_eq!(fact.register.stamp, GenerationPosition { generation: 2, position: Position::new(7, 1) });
    }
}
