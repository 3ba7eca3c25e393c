use proptest::prelude::*;

use super::*;
use crate::graph::{
    Labels,
    model::{Graph, commands, records},
};

/// Folds records in short form: `+vl v1 Story`, `-vp v1 title old`, `+e e1 LIKES v1 v2`, `+ep e1 weight 1`.
fn fold_lines(lines: &[&str]) -> Vec<Change> {
    fold(lines.iter().zip(1..).map(|(line, op_num)| {
        let words: Vec<&str> = line[1..].split(' ').collect();
        let text = |at: usize| words[at].to_owned();
        let is_property = words[0].ends_with('p');
        let is_edge = words[0] == "e";
        Record {
            position: Position::new(12, op_num),
            commit_timestamp_ms: 1_560_011_610_678,
            op: if line.starts_with('+') { Op::Add } else { Op::Remove },
            kind: match words[0] {
                "vl" => RecordKind::VertexLabel,
                "vp" => RecordKind::VertexProperty,
                "e" => RecordKind::Edge,
                _ => RecordKind::EdgeProperty,
            },
            id: text(1),
            key: if is_property { text(2) } else { "label".into() },
            value: Value::String(text(if is_property { 3 } else { 2 })),
            from: is_edge.then(|| text(3)),
            to: is_edge.then(|| text(4)),
        }
    }))
}

fn only(lines: &[&str]) -> Change {
    let mut changes = fold_lines(lines);
    assert_eq!(changes.len(), 1, "{changes:?}");
    changes.remove(0)
}

fn property(change: &Change, key: &str) -> (Vec<String>, Vec<String>) {
    let texts = |values: &[Value]| values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let property = &change.properties[key];
    (texts(&property.before), texts(&property.after))
}

fn ends(from: &str, to: &str) -> Option<EdgeEndpoints> {
    Some(EdgeEndpoints { from: from.into(), to: to.into() })
}

#[test]
fn added_vertex_has_its_label_and_properties() {
    let change = only(&["+vl v1 Story", "+vp v1 title 안녕"]);
    assert_eq!(
        (change.change_kind, change.kind, change.entity_id.as_str()),
        (ChangeKind::Added, EntityKind::Vertex, "v1")
    );
    assert_eq!(change.labels.added, ["Story"]);
    assert_eq!(property(&change, "title"), (vec![], vec!["안녕".into()]));
    assert_eq!(change.id("main"), "main/12/1");
    assert_eq!(change.commit_timestamp_ms, 1_560_011_610_678);
}

#[test]
fn added_edge_has_its_ends() {
    let change = only(&["+e e1 LIKES v1 v2", "+ep e1 weight 1"]);
    assert_eq!((change.change_kind, change.kind), (ChangeKind::Added, EntityKind::Edge));
    assert_eq!((change.ends, change.ends_before), (ends("v1", "v2"), None));
    assert_eq!(change.labels.added, ["LIKES"]);
}

#[test]
fn removed_edge_has_its_ends() {
    let change = only(&["-ep e1 weight 1", "-e e1 LIKES v1 v2"]);
    assert_eq!(change.labels.removed, ["LIKES"]);
    assert_eq!(property(&change, "weight"), (vec!["1".into()], vec![]));
    assert_eq!((change.change_kind, change.ends, change.ends_before), (ChangeKind::Removed, ends("v1", "v2"), None));
}

#[test]
fn updated_property_has_before_and_after() {
    let change = only(&["-vp v1 title old", "+vp v1 title new"]);
    assert_eq!(change.change_kind, ChangeKind::Changed);
    assert_eq!(property(&change, "title"), (vec!["old".into()], vec!["new".into()]));
    assert_eq!(change.labels, Labels::default());
}

#[test]
fn property_of_set_cardinality_has_removed_and_added_values() {
    let change = only(&["+vp v1 tag a", "-vp v1 tag b", "+vp v1 tag c", "-vp v1 tag d", "+vp v1 tag d"]);
    assert_eq!(property(&change, "tag"), (vec!["b".into()], vec!["a".into(), "c".into()]));
}

#[test]
fn records_that_cancel_out_give_no_change() {
    assert_eq!(fold_lines(&["+vp v1 title a", "-vp v1 title a"]), []);
    assert_eq!(fold_lines(&["-vp v1 title a", "+vp v1 title b", "-vp v1 title b", "+vp v1 title a"]), []);
    assert_eq!(fold_lines(&["+vl v1 Story", "+vp v1 title a", "-vp v1 title a", "-vl v1 Story"]), []);
    assert_eq!(fold_lines(&["+e e1 LIKES v1 v2", "-e e1 LIKES v1 v2"]), []);
    assert_eq!(fold_lines(&["-e e1 LIKES v1 v2", "+e e1 LIKES v1 v2"]), []);
    assert_eq!(fold_lines(&[]), []);
}

#[test]
fn vertex_removed_and_added_again_is_changed_in_the_differing_facts() {
    let change =
        only(&["-vp v1 title a", "-vp v1 by x", "-vl v1 Story", "+vl v1 Story", "+vp v1 title b", "+vp v1 by x"]);
    assert_eq!(change.change_kind, ChangeKind::Changed);
    assert_eq!(change.labels, Labels { kept: vec!["Story".into()], ..Labels::default() });
    assert_eq!(property(&change, "title"), (vec!["a".into()], vec!["b".into()]));
    assert_eq!(change.properties.len(), 1);
}

#[test]
fn edge_added_again_elsewhere_has_both_pairs_of_ends() {
    let change = only(&["-e e1 LIKES v1 v2", "+e e1 LIKES v1 v3"]);
    assert_eq!(
        (change.change_kind, change.ends, change.ends_before),
        (ChangeKind::Changed, ends("v1", "v3"), ends("v1", "v2"))
    );
    assert_eq!(change.labels, Labels { kept: vec!["LIKES".into()], ..Labels::default() });
    let change = only(&["-e e1 LIKES v1 v2", "+e e1 LOVES v1 v2"]);
    assert_eq!((change.change_kind, change.ends, change.ends_before), (ChangeKind::Changed, ends("v1", "v2"), None));
    assert_eq!((change.labels.added[0].as_str(), change.labels.removed[0].as_str()), ("LOVES", "LIKES"));
}

#[test]
fn replaced_labels_are_a_change() {
    let change = only(&["-vl v1 Draft", "+vl v1 Story"]);
    assert_eq!((change.change_kind, change.labels.kept.len()), (ChangeKind::Changed, 0));
    // A record shows that the vertex existed before, or exists after.
    assert_eq!(only(&["+vl v1 Pinned", "-vp v1 pin 0", "+vp v1 pin 1"]).change_kind, ChangeKind::Changed);
    assert_eq!(only(&["-vl v1 Pinned", "+vp v1 pin 1"]).change_kind, ChangeKind::Changed);
    // A label that was added and removed does not show whether the property's vertex existed.
    assert_eq!(only(&["+vl v1 Pinned", "+vp v1 pin 1", "-vl v1 Pinned"]).change_kind, ChangeKind::Changed);
}

#[test]
fn changes_are_in_the_order_of_first_records_and_edges_have_their_own_ids() {
    let changes = fold_lines(&["+vp b k 1", "+vl a Story", "+e b LIKES a a", "+vp b k 2", "+vp a k 1"]);
    let found: Vec<_> = changes.iter().map(|c| (c.kind, c.entity_id.as_str(), c.position.op_num)).collect();
    assert_eq!(found, [(EntityKind::Vertex, "b", 1), (EntityKind::Vertex, "a", 2), (EntityKind::Edge, "b", 3)]);
}

#[test]
fn vertex_and_its_edges_removed_together_are_two_removals() {
    let changes = fold_lines(&["-ep e1 weight 1", "-e e1 LIKES v1 v2", "-vp v2 title a", "-vl v2 Story"]);
    assert_eq!(
        changes.iter().map(|change| change.change_kind).collect::<Vec<_>>(),
        [ChangeKind::Removed, ChangeKind::Removed]
    );
}

proptest! {
    #[test]
    fn changes_are_the_difference_of_before_and_after(
        first in commands(),
        second in commands(),
    ) {
        let mut before = Graph::default();
        before.run(&first);
        let mut after = before.clone();
        let changes = fold(records(2, after.run(&second)));

        prop_assert!(changes.windows(2).all(|pair| pair[0].position < pair[1].position));
        let mut applied = before.clone();
        for change in &changes {
            let (kind, id) = (change.kind, change.entity_id.as_str());
            let change_kind = match (before.has(kind, id), after.has(kind, id)) {
                (false, _) => ChangeKind::Added,
                (true, true) => ChangeKind::Changed,
                (true, false) => ChangeKind::Removed,
            };
            prop_assert_eq!(change.change_kind, change_kind);
            prop_assert!(!change.is_truncated());
            prop_assert!(applied.apply(change), "a part of it was applied already: {:?}", change);
            prop_assert_eq!(applied.has(kind, id), change_kind != ChangeKind::Removed);
        }
        prop_assert_eq!(&applied, &after);
        prop_assert_eq!(changes.len(), before.differences(&after));
    }

    #[test]
    fn parts_of_a_transaction_lose_nothing(
        first in commands(),
        second in commands(),
        sizes in prop::collection::vec(1_usize..9, 1..5),
    ) {
        let mut graph = Graph::default();
        graph.run(&first);
        let mut applied = graph.clone();
        let mut rest = records(2, graph.run(&second));
        let mut ids = Vec::new();
        for size in sizes.into_iter().cycle() {
            let behind = rest.split_off(size.min(rest.len()));
            for change in fold(rest) {
                applied.apply(&change);
                // Duplicate delivery.
                applied.apply(&change);
                ids.push(change.id("main"));
            }
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(applied, graph);
        let count = ids.len();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), count);
    }
}
