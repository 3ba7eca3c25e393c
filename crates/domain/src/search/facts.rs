//! Searchable facts of a change.

use std::collections::BTreeMap;

use super::{MAX_TEXT_BYTES, Register, normalize};
use crate::{
    graph::{Change, ChangeKind, EdgeEndpoints, EntityKind, GenerationPosition},
    push::truncate,
    visibility::{self, VISIBILITY},
};

// Names of an entry's registers. Those of edges end with the edge's id.
pub(super) const NAME: &str = "name";
pub(super) const TITLE: &str = "title";
pub(super) const PERSON: &str = "person";
/// Value: time of publication in milliseconds since 1970, a space, and the author.
pub(super) const TOLD: &str = "told#";
pub(super) const TAG: &str = "tag";
/// Value: id of the tag.
pub(super) const TAGGED: &str = "tagged#";

/// A write to one register of one vertex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Id of the vertex.
    pub vertex: String,
    /// Name of the register.
    pub name: String,
    /// The value since the change's position.
    pub register: Register,
}

/// The facts of a change from `cluster`, at most one per register. Most changes have none.
pub fn facts(cluster: &str, change: &Change) -> Vec<Fact> {
    let position = GenerationPosition::of(cluster, change.position);
    let mut registers = BTreeMap::new();
    match change.kind {
        EntityKind::Vertex => vertex_facts(change, &mut registers),
        EntityKind::Edge => edge_facts(change, &mut registers),
    }
    let fact = |((vertex, name), value)| Fact { vertex, name, register: Register { position, value } };
    registers.into_iter().map(fact).collect()
}

/// Values by vertex and register.
type Values = BTreeMap<(String, String), Option<String>>;

fn vertex_facts(change: &Change, values: &mut Values) {
    let mut set = |name: &str, value| drop(values.insert((change.entity_id.clone(), name.to_owned()), value));
    for name in [NAME, TITLE] {
        if let Some(property) = change.properties.get(name) {
            // A value that is not text, or did not fit in the message, counts as removed.
            let text = property.after.first().and_then(|value| value.as_str()).map(normalize);
            set(name, text.filter(|text| !text.is_empty()).map(|text| truncate(&text, MAX_TEXT_BYTES)));
        }
    }
    if let Some(visibility) = visibility::set_by(change) {
        set(VISIBILITY, visibility.map(|visibility| visibility.as_str().to_owned()));
    }
    let labels = &change.labels;
    for name in [PERSON, TAG] {
        if labels.removed.iter().any(|label| label == name) {
            set(name, None);
        }
        if labels.added.iter().chain(&labels.kept).any(|label| label == name) {
            set(name, Some(String::new()));
        }
    }
}

fn edge_facts(change: &Change, values: &mut Values) {
    let id = &change.entity_id;
    for_each_end("told", change, |EdgeEndpoints { from, to }, is_present| {
        let value = is_present.then(|| format!("{} {from}", change.commit_timestamp_ms));
        values.insert((to.clone(), format!("{TOLD}{id}")), value);
    });
    for_each_end("tagged", change, |EdgeEndpoints { from, to }, is_present| {
        values.insert((from.clone(), format!("{TAGGED}{id}")), is_present.then(|| to.clone()));
    });
}

/// Calls `set` with the ends between which the change removed an edge of `label`, then with those between
/// which it added one. Both may write the same register; the addition wins.
fn for_each_end(label: &str, change: &Change, mut set: impl FnMut(&EdgeEndpoints, bool)) {
    let (labels, ends) = (&change.labels, change.ends.as_ref());
    let ends_before = change.ends_before.as_ref().or(ends);
    let has_label = |labels: &[String]| labels.iter().any(|other| other == label);
    // An edge that moved keeps its label: it is removed from the old ends and added to the new ones.
    let has_moved = has_label(&labels.kept) && change.ends_before.is_some();
    if has_label(&labels.removed) || has_moved {
        ends_before.into_iter().for_each(|ends| set(ends, false));
    }
    if has_label(&labels.added) || has_moved {
        ends.into_iter().for_each(|ends| set(ends, change.change_kind != ChangeKind::Removed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        graph::{Position, PropertyChange, Value},
        search::testing::{edge, vertex},
    };

    fn written(change: &Change) -> Vec<(String, String, Option<String>)> {
        facts("main", change).into_iter().map(|fact| (fact.vertex, fact.name, fact.register.value)).collect()
    }

    fn one(vertex: &str, name: &str, value: Option<&str>) -> Vec<(String, String, Option<String>)> {
        vec![(vertex.to_owned(), name.to_owned(), value.map(str::to_owned))]
    }

    #[test]
    fn only_listed_properties_and_edges_give_facts() {
        let mut change = vertex(1, "p", NAME, Some("Mina"));
        for (name, value) in [("email", "mina@example.com"), ("phone", "010"), ("body", "…")] {
            let after = vec![Value::String(value.to_owned())];
            change.properties.insert(name.to_owned(), PropertyChange { before: vec![], after });
        }
        assert_eq!(written(&change), one("p", NAME, Some("Mina")));
        assert!(written(&edge(ChangeKind::Added, 1, "e", "likes", "jun", "s")).is_empty());
        assert!(written(&edge(ChangeKind::Added, 1, "e", "wrote", "jun", "c")).is_empty());
    }

    #[test]
    fn text_is_normalized_and_truncated() {
        let title = |text: &str| facts("main", &vertex(1, "s", TITLE, Some(text))).remove(0).register.value;
        assert_eq!(title(" \u{1109}\u{1165}\u{110b}\u{116e}\u{11af}\n에서 "), Some("서울 에서".to_owned()));
        assert_eq!(title("\u{0}"), None);
        let long = title(&"가".repeat(100_000)).expect("a title");
        assert!(long.len() <= MAX_TEXT_BYTES && long.ends_with('…'));
    }

    #[test]
    fn non_text_value_is_a_tombstone() {
        let mut change = vertex(1, "s", TITLE, Some("첫눈"));
        change.properties.values_mut().for_each(|property| property.after = vec![Value::Int(7)]);
        assert_eq!(written(&change), one("s", TITLE, None));
    }

    #[test]
    fn told_edge_has_author_and_time() {
        let told = written(&edge(ChangeKind::Added, 3, "e", "told", "mina", "s"));
        assert_eq!(told, one("s", "told#e", Some("1795305600000 mina")));
        assert_eq!(written(&edge(ChangeKind::Removed, 4, "e", "told", "mina", "s")), one("s", "told#e", None));
        assert!(
            written(&edge(ChangeKind::Changed, 4, "e", "told", "mina", "s")).is_empty(),
            "removed and added again as it was"
        );
        let mut moved = edge(ChangeKind::Changed, 5, "e", "told", "mina", "t");
        moved.ends_before = Some(EdgeEndpoints { from: "mina".into(), to: "s".into() });
        let expected = [one("s", "told#e", None), one("t", "told#e", Some("1795305600000 mina"))].concat();
        assert_eq!(written(&moved), expected);
    }

    #[test]
    fn tagged_edge_has_its_tag() {
        assert_eq!(
            written(&edge(ChangeKind::Added, 3, "e", "tagged", "s", "snow")),
            one("s", "tagged#e", Some("snow"))
        );
        assert_eq!(written(&edge(ChangeKind::Removed, 4, "e", "tagged", "s", "snow")), one("s", "tagged#e", None));
        let mut moved = edge(ChangeKind::Changed, 5, "e", "tagged", "s", "rain");
        moved.ends_before = Some(EdgeEndpoints { from: "s".into(), to: "snow".into() });
        assert_eq!(written(&moved), one("s", "tagged#e", Some("rain")));
    }

    #[test]
    fn unknown_or_omitted_visibility_is_a_tombstone() {
        assert_eq!(written(&vertex(1, "s", VISIBILITY, Some("followers"))), one("s", VISIBILITY, Some("followers")));
        assert_eq!(written(&vertex(1, "s", VISIBILITY, Some("friends"))), one("s", VISIBILITY, None));
        assert_eq!(written(&vertex(1, "s", VISIBILITY, None)), one("s", VISIBILITY, None));
        let mut truncated = vertex(1, "s", "other", Some("x"));
        truncated.properties_omitted = 3;
        assert_eq!(written(&truncated), one("s", VISIBILITY, None));
    }

    #[test]
    fn fact_has_the_generation_of_its_change() {
        let fact = facts("main.2", &vertex(7, "p", NAME, Some("Mina"))).remove(0);
        assert_eq!(fact.register.position, GenerationPosition { generation: 2, position: Position::new(7, 1) });
    }
}
