//! Tests of the mirror: changes in any order, through elements into documents.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, sample::Index};
use serde_json::json;

use super::{Document, Element, MAX_ID_BYTES, MAX_NAME_BYTES, MAX_NAMES, MAX_REGISTERS, MAX_ROW_BYTES};
use crate::{
    graph::{Change, Labels, Position, PropertyChange, ReceivedChange, Value},
    push::testing::vertex,
};

fn text(text: impl Into<String>) -> Value {
    Value::String(text.into())
}

fn received(cluster: &str, change: &Change) -> ReceivedChange {
    ReceivedChange { id: change.id(cluster), cluster: cluster.to_owned(), change: change.clone() }
}

/// A change of the vertex `s`.
fn change(commit_num: u64, labels: Labels, properties: BTreeMap<String, PropertyChange>) -> Change {
    Change { labels, properties, ..vertex(commit_num, "s", "", None) }
}

fn set(commit_num: u64, name: &str, before: Vec<Value>, after: Vec<Value>) -> Change {
    change(commit_num, Labels::default(), [(name.to_owned(), PropertyChange { before, after })].into())
}

fn labelled(commit_num: u64) -> Change {
    change(commit_num, Labels { added: vec!["story".to_owned()], ..Labels::default() }, BTreeMap::new())
}

/// The element after the changes, and the number of labels and values that were left out.
fn applied<'a>(cluster: &str, changes: impl IntoIterator<Item = &'a Change>) -> (Element, usize) {
    let mut element = Element::of(&labelled(0)).expect("an element");
    let mut left_out = 0;
    for change in changes {
        let outcome = element.apply(&received(cluster, change));
        left_out += outcome.left_out;
        element = outcome.next.unwrap_or(element);
    }
    (element, left_out)
}

/// A command to one vertex of the graph.
#[derive(Debug, Clone)]
enum Command {
    /// Adds a value to a property, or removes it if it is present.
    Toggle(usize, usize),
    /// Replaces all values of a property.
    Replace(usize, usize),
    Label(usize),
    Remove,
}

fn command() -> impl Strategy<Value = Command> {
    let (name, value) = (|| 0_usize..4, || 0_usize..60);
    prop_oneof![
        4 => (name(), value()).prop_map(|(name, value)| Command::Toggle(name, value)),
        4 => (name(), value()).prop_map(|(name, value)| Command::Replace(name, value)),
        1 => (0_usize..3).prop_map(Command::Label),
        1 => Just(Command::Remove),
    ]
}

/// Current state of the vertex.
#[derive(Debug, Default)]
struct Graph {
    labels: BTreeSet<String>,
    properties: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    /// The change that a command makes.
    fn commit(&mut self, commit_num: u64, command: &Command) -> Change {
        let name = |name: &usize| format!("name {name}");
        let mut next = self.properties.clone();
        let mut labels = self.labels.clone();
        match command {
            Command::Toggle(at, value) => {
                let values = next.entry(name(at)).or_default();
                if !values.remove(&value.to_string()) {
                    values.insert(value.to_string());
                }
            }
            Command::Replace(at, value) => drop(next.insert(name(at), [value.to_string()].into())),
            Command::Label(label) => drop(labels.insert(label.to_string())),
            Command::Remove => {
                next.clear();
                labels.clear();
            }
        }
        let missing = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>();
        let names: BTreeSet<_> = self.properties.keys().chain(next.keys()).cloned().collect();
        let properties = names.into_iter().map(|name| {
            let values = |all: &BTreeMap<String, BTreeSet<String>>| all.get(&name).cloned().unwrap_or_default();
            let (old, new) = (values(&self.properties), values(&next));
            let texts = |texts: Vec<String>| texts.into_iter().map(text).collect();
            let change = PropertyChange { before: texts(missing(&old, &new)), after: texts(missing(&new, &old)) };
            (name, change)
        });
        let labels_changed =
            Labels { added: missing(&labels, &self.labels), removed: missing(&self.labels, &labels), kept: Vec::new() };
        let change = change(commit_num, labels_changed, properties.collect());
        (self.labels, self.properties) = (labels, next);
        change
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_order_and_repetition_give_the_same_document(
        commands in prop::collection::vec(command(), 1..100),
        early in prop::collection::vec(any::<Index>(), 0..20),
        seed in any::<u64>(),
    ) {
        let mut graph = Graph::default();
        let history: Vec<_> = (1..).zip(&commands).map(|(commit_num, command)| graph.commit(commit_num, command)).collect();
        let (in_order, _) = applied("main", &history);
        let mut shuffled: Vec<_> = (0..history.len()).collect();
        shuffled.sort_by_key(|at| (*at as u64 + 1).wrapping_mul(seed | 1).rotate_left(23));
        let early = early.iter().map(|index| index.index(history.len()));
        let (other, _) = applied("main", early.chain(shuffled).map(|at| &history[at]));
        prop_assert_eq!(Document::of(&other).source, Document::of(&in_order).source);
        // A replay, in any order, changes neither the document nor the version.
        for change in history.iter().chain(history.iter().rev()) {
            prop_assert_eq!(other.apply(&received("main", change)).next, None);
        }
    }

    #[test]
    fn document_has_the_labels_and_values_of_the_graph(commands in prop::collection::vec(command(), 1..25)) {
        // Few enough commands that nothing is left out.
        let mut graph = Graph::default();
        let history: Vec<_> = (1..).zip(&commands).map(|(commit_num, command)| graph.commit(commit_num, command)).collect();
        let source = Document::of(&applied("main", &history).0).source;
        let labels: BTreeSet<_> = source["entity_type"].as_array().into_iter().flatten().filter_map(|it| it.as_str()).collect();
        prop_assert_eq!(labels, graph.labels.iter().map(String::as_str).collect());
        let had_labels = commands.iter().any(|command| matches!(command, Command::Label(_)));
        if had_labels && graph.labels.is_empty() {
            // Without labels the vertex does not exist.
            prop_assert_eq!(source, json!({"entity_id": "s"}));
            return Ok(());
        }
        for name in (0..4).map(|name| format!("name {name}")) {
            let found = source["predicates"][&name].as_array().into_iter().flatten();
            let found: BTreeSet<_> = found.map(|it| it["value"].as_str().expect("a text").to_owned()).collect();
            prop_assert_eq!(found, graph.properties.get(&name).cloned().unwrap_or_default());
        }
    }

    #[test]
    fn json_round_trips(commands in prop::collection::vec(command(), 1..50)) {
        let mut graph = Graph::default();
        let history: Vec<_> = (1..).zip(&commands).map(|(commit_num, command)| graph.commit(commit_num, command)).collect();
        let (element, _) = applied("main", &history);
        prop_assert_eq!(Element::from_stored(element.version(), &element.to_json()).expect("an element"), element);
    }

    #[test]
    fn kept_names_do_not_depend_on_the_order(
        names in prop::collection::vec("[a-d]{1,5}", 1..120),
        seed in any::<u64>(),
    ) {
        let history: Vec<_> =
            (1..).zip(&names).map(|(at, name)| set(at, name, vec![], vec![Value::Int(at as i32)])).collect();
        let mut shuffled: Vec<_> = history.iter().collect();
        shuffled.sort_by_key(|change| change.position.commit_num.wrapping_mul(seed | 1).rotate_left(17));
        let (in_order, other) = (applied("main", &history).0, applied("main", shuffled).0);
        prop_assert_eq!(Document::of(&other).source, Document::of(&in_order).source);
        let mut distinct: Vec<_> = names.iter().collect::<BTreeSet<_>>().into_iter().collect();
        distinct.sort_by_key(|name| (name.len(), *name));
        distinct.truncate(MAX_NAMES);
        prop_assert_eq!(other.properties().keys().collect::<BTreeSet<_>>(), distinct.into_iter().collect());
    }
}

#[test]
fn changes_after_a_reset_replace_all_before() {
    let old = set(90, "title", vec![], vec![text("옛")]);
    let (element, _) = applied("main", [&labelled(1), &old]);
    let outcome = element.apply(&received("main.1", &set(1, "title", vec![], vec![text("새")])));
    let element = outcome.next.expect("an effect");
    let source = Document::of(&element).source;
    assert_eq!((&source["predicates"]["title"], &source["entity_type"]), (&json!([{"value": "새"}]), &json!([])));
    assert_eq!(element.version(), 3);
    // A change that was still queued before the reset.
    assert_eq!(element.apply(&received("main", &old)).next, None);
}

#[test]
fn property_that_changes_often_displaces_no_other() {
    let mut history = vec![labelled(1), set(1, "title", vec![], vec![text("첫눈")])];
    let counted = |at: u64| vec![Value::Long(at as i64)];
    history.extend((2..1_000).map(|at| set(at, "plays", counted(at - 1), counted(at))));
    let (element, left_out) = applied("main", &history);
    let source = Document::of(&element).source;
    assert_eq!(source["predicates"]["plays"], json!([{"value": 999, "datatype": "Long"}]));
    assert_eq!(source["predicates"]["title"], json!([{"value": "첫눈"}]));
    assert!(element.to_json().len() < 5_000 && left_out == 0, "{left_out}");
}

#[test]
fn properties_with_the_shortest_names_are_kept() {
    let many = |at: u64| {
        let values = |n: u64| (format!("property {n}"), PropertyChange { before: vec![], after: vec![Value::Long(1)] });
        change(at, Labels::default(), (at * 1_000..at * 1_000 + 1_000).map(values).collect())
    };
    let history: Vec<_> = (0..10).map(many).collect();
    let title = set(20, "title", vec![], vec![text("첫눈")]);
    let (element, left_out) = applied("main", history.iter().chain([&labelled(1), &title]));
    assert_eq!(element.properties().len(), MAX_NAMES);
    assert_eq!(Document::of(&element).source["predicates"]["title"], json!([{"value": "첫눈"}]));
    assert_eq!(left_out, 10_001 - MAX_NAMES);
}

#[test]
fn names_and_labels_that_an_index_cannot_contain_are_left_out() {
    let names = ["", " ", "a.b", ".", &"x".repeat(MAX_NAME_BYTES + 1)];
    let properties = names.map(|name| (name.to_owned(), PropertyChange { before: vec![], after: vec![text("x")] }));
    let labels = Labels { added: vec!["l".repeat(MAX_NAME_BYTES + 1)], ..Labels::default() };
    let (element, left_out) = applied("main", [&change(1, labels, properties.into())]);
    assert_eq!((left_out, element.version()), (names.len() + 1, 0));
    assert_eq!(Element::of(&vertex(1, &"x".repeat(MAX_ID_BYTES + 1), "a", None)), None);
}

#[test]
fn omitted_value_is_removed_by_its_hash() {
    let long = text("가".repeat(400_000));
    let truncated = |change: &Change| {
        let event = change.to_cloud_event_within("main", 262_144).expect("an event");
        Change::from_cloud_event(&event).expect("a change").change
    };
    let addition = truncated(&set(1, "body", vec![text("짧다")], vec![long.clone()]));
    let (element, left_out) = applied("main", [&labelled(1), &addition]);
    assert_eq!((Document::of(&element).source.get("predicates"), left_out), (None, 1));
    // The removal may contain the whole value.
    let removal = set(2, "body", vec![long], vec![text("짧다")]);
    let (element, _) = applied("main", [&labelled(1), &addition, &removal]);
    assert_eq!(Document::of(&element).source["predicates"]["body"], json!([{"value": "짧다"}]));
    assert_eq!(element.properties()["body"].live().count(), 1);
}

#[test]
fn row_stays_within_its_limit() {
    let long = |n: u64, length: usize| text(format!("{n}\"\u{1}{}", "가".repeat(length)));
    let mut history = vec![labelled(1)];
    for n in 0..70 {
        history.push(set(
            2 + n,
            &format!("{n:0>MAX_NAME_BYTES$}"),
            vec![],
            (0..40).map(|at| long(n * 100 + at, 300)).collect(),
        ));
    }
    history.push(set(200, "title", vec![], vec![text("첫눈")]));
    let (element, left_out) = applied("main", &history);
    assert!(element.to_json().len() <= MAX_ROW_BYTES && left_out > 0, "{}", element.to_json().len());
    assert_eq!(Document::of(&element).source["predicates"]["title"], json!([{"value": "첫눈"}]));
    assert!(history.iter().all(|change| element.apply(&received("main", change)).next.is_none()), "a replay");
    // Bounded values only, with the largest positions, names, labels and id.
    let last = |n: u64| Position::new(u64::MAX, u64::MAX - n);
    let mut most = Element::of(&vertex(1, &"\u{1}".repeat(MAX_ID_BYTES), "a", None)).expect("an element");
    for n in 0..MAX_NAMES as u64 {
        let at = |number: usize| Value::Long(number as i64);
        let name = format!("{}{n:0>2}", "\u{1}".repeat(MAX_NAME_BYTES - 2));
        let mut change = set(1, &name, (0..MAX_REGISTERS).map(at).collect(), vec![]);
        change.position = last(n);
        change.labels.added = vec![format!("{}{n:0>2}", "\u{1}".repeat(MAX_NAME_BYTES - 2))];
        most = most.apply(&received("main.4294967295", &change)).next.expect("an effect");
    }
    let bytes = most.to_json().len();
    assert!(bytes <= MAX_ROW_BYTES, "{bytes}");
}
