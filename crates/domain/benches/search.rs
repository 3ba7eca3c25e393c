//! Throughput of a change on its way into the search index and into the mirror, without calls to AWS.
//!
//! `cargo xtask bench search` runs it and stores the figures, which are printed as one line of JSON each.

use std::{collections::BTreeMap, hint::black_box, time::Instant};

use domain::{
    graph::{Change, ChangeKind, EdgeEndpoints, EntityKind, Labels, Position, PropertyChange, Value},
    neptune_fts::{self, Element},
    search::{Document, Entry, Fact, facts},
};
use serde_json::json;

/// Number of stories; each causes two changes.
const STORIES: u64 = 50_000;
/// Number of rounds, of which the fastest counts: other load on the machine only slows a round down.
const ROUNDS: usize = 5;

fn main() {
    let messages: Vec<_> = (0..STORIES).flat_map(story).collect();
    let bytes: usize = messages.iter().map(String::len).sum();
    let measured = |row: &str, pass: &dyn Fn()| {
        let mut best = f64::MAX;
        for _ in 0..ROUNDS {
            let begin = Instant::now();
            pass();
            best = best.min(begin.elapsed().as_secs_f64());
        }
        let row = json!({
            "row": row, "changes": messages.len(), "bytes_per_change": bytes / messages.len(),
            "changes_per_second": (messages.len() as f64 / best) as u64, "target": 20_000,
        });
        println!("{row}");
    };
    measured("read, facts, entry, document; one core", &|| {
        let mut entries = BTreeMap::<String, Entry>::new();
        messages.iter().for_each(|message| project(&mut entries, black_box(message)));
    });
    measured("read, element, document of the mirror; one core", &|| {
        let mut elements = BTreeMap::<String, Element>::new();
        messages.iter().for_each(|message| mirror(&mut elements, black_box(message)));
    });
}

fn project(entries: &mut BTreeMap<String, Entry>, message: &str) {
    let Ok(received) = Change::from_cloud_event(message) else { return };
    let mut by_vertex = BTreeMap::<String, Vec<Fact>>::new();
    for fact in facts(&received.cluster, &received.change) {
        by_vertex.entry(fact.vertex.clone()).or_default().push(fact);
    }
    for (vertex, facts) in by_vertex {
        let entry = entries.entry(vertex.clone()).or_default();
        if let Some(next) = entry.apply_all(facts) {
            *entry = next;
        }
        black_box(Document::of(&vertex, entry).source().to_string());
    }
}

fn mirror(elements: &mut BTreeMap<String, Element>, message: &str) {
    let Ok(received) = Change::from_cloud_event(message) else { return };
    let Some(new) = Element::of(&received.change) else { return };
    let element = elements.entry(neptune_fts::Document::id_of(&received.change)).or_insert(new);
    if let Some(next) = element.apply(&received).next {
        *element = next;
    }
    // The row and the document.
    black_box((element.to_json(), neptune_fts::Document::of(element).source.to_string()));
}

/// The addition of a story with a title and another property, and of its edge `told`.
fn story(number: u64) -> [String; 2] {
    let id = format!("story-{number:08}");
    let property = |text: String| PropertyChange { before: vec![], after: vec![Value::String(text)] };
    let vertex = Change {
        position: Position::new(number + 1, 1),
        commit_timestamp_ms: 1_795_305_600_000,
        kind: EntityKind::Vertex,
        entity_id: id.clone(),
        change_kind: ChangeKind::Added,
        labels: Labels { added: vec!["story".to_owned()], ..Labels::default() },
        ends: None,
        ends_before: None,
        properties: [
            ("title".to_owned(), property(format!("서울에서 만난 첫눈 {number}"))),
            ("place".to_owned(), property("서울 종로구".to_owned())),
        ]
        .into(),
        properties_omitted: 0,
        is_partial: false,
    };
    let told = Change {
        position: Position::new(number + 1, 4),
        kind: EntityKind::Edge,
        entity_id: format!("told:{id}"),
        labels: Labels { added: vec!["told".to_owned()], ..Labels::default() },
        ends: Some(EdgeEndpoints { from: "mina".to_owned(), to: id }),
        properties: BTreeMap::new(),
        ..vertex.clone()
    };
    [vertex.to_cloud_event("main"), told.to_cloud_event("main")]
}
