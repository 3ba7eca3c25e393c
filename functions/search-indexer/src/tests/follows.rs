//! The table of whom each person follows.

use std::cell::RefCell;

use domain::{
    graph::{ChangeKind, EdgeEndpoints, EntityKind, Labels, PropertyChange, Value},
    push,
};
use function_kit::{failure::Failure, metrics::Metrics};
use jiff::Timestamp;

use super::changes::change;
use crate::{
    ports::Follows,
    project::{parse, project_follows},
};

/// Records the calls.
#[derive(Default)]
struct Calls(RefCell<Vec<String>>);

impl Follows for Calls {
    async fn begin(&self, generation: u32) -> Result<(), Failure> {
        self.0.borrow_mut().push(format!("generation {generation}"));
        Ok(())
    }

    async fn apply(&self, fact: &push::Fact, _: Timestamp) -> Result<(), Failure> {
        self.0.borrow_mut().push(fact.name.clone());
        Ok(())
    }
}

async fn calls(body: &str) -> Vec<String> {
    let calls = Calls::default();
    let received = parse(&Metrics::of("test"), body).expect("a change");
    project_follows(&calls, &received).await.expect("applied");
    calls.0.into_inner()
}

#[tokio::test]
async fn change_of_any_kind_begins_its_generation_before_its_facts() {
    let mut titled = change(1, EntityKind::Vertex, "s1");
    let after = vec![Value::String("첫눈".to_owned())];
    titled.properties.insert("title".to_owned(), PropertyChange { before: vec![], after });
    let mut edge = change(2, EntityKind::Edge, "e1");
    edge.change_kind = ChangeKind::Added;
    edge.ends = Some(EdgeEndpoints { from: "mina".to_owned(), to: "jun".to_owned() });
    let labelled = |label: &str| {
        let labels = Labels { added: vec![label.to_owned()], ..Labels::default() };
        domain::graph::Change { labels, ..edge.clone() }.to_cloud_event("main.2")
    };
    assert_eq!(calls(&titled.to_cloud_event("main.2")).await, ["generation 2"]);
    assert_eq!(calls(&labelled("likes")).await, ["generation 2"]);
    assert_eq!(calls(&labelled("follows")).await, ["generation 2", "edge#e1"]);
    assert_eq!(calls(&titled.to_cloud_event("main")).await, ["generation 0"]);
}
