//! `stream-poller`: records of Neptune Streams in, messages on the event bus out. `graph-export`: the graph in, messages out.

mod environment;

use std::{collections::BTreeMap, time::Duration};

use domain::graph::{Change, Position};
use lambda_runtime_api::Outcome;
use neptune::Commit;
use serde_json::json;
use test_support::{queues::receive_messages, wait::TIMEOUT};
use tokio::time::{sleep, timeout};

use self::environment::PollerEnvironment;
use crate::responses::invoke;

/// The number of times that a test kills the process.
const KILLS: u64 = 20;

/// The positions of each entity's changes, in the order of their messages.
fn positions_by_entity(bodies: &[String]) -> BTreeMap<String, Vec<Position>> {
    let mut positions = BTreeMap::<_, Vec<_>>::new();
    for body in bodies {
        let change = Change::from_cloud_event(body).expect("change").change;
        positions.entry(change.group_id()).or_default().push(change.position);
    }
    positions
}

#[tokio::test]
async fn killed_poller_publishes_every_change_once_in_entity_order() {
    let environment = PollerEnvironment::start("kill").await;
    let mut number = 0;
    for kill in 0..KILLS {
        let mut poller = environment.start_function("follow").await;
        // From before its first call to when it is idle, another moment each time.
        let lifetime = Duration::from_millis(kill * 7919 % 400);
        let writing = async {
            for _ in 0..10 {
                environment.commit(number).await;
                number += 1;
                sleep(lifetime / 12).await;
            }
        };
        let event = json!({});
        let (ended, ()) = tokio::join!(timeout(lifetime, poller.invoke(&event)), writing);
        assert!(ended.is_err(), "it ended before it was killed: {ended:?}");
        // SIGKILL.
        drop(poller);
        environment.expire_lease().await;
    }
    let mut poller = environment.start_function("drain").await;
    let response = invoke(&mut poller, &json!({})).await;
    assert_eq!(response["ended"], "drained", "{response}");

    // Each commit changes a vertex, and all but the first seven add an edge.
    let bodies = receive_messages(&environment.aws, &environment.queue, number as usize * 2 - 7).await;
    let positions = positions_by_entity(&bodies);
    assert!(positions.values().all(|positions| positions.is_sorted_by(|one, two| one < two)), "{positions:?}");
    let vertex_changes: usize = (0..7).map(|person| positions[&format!("vertex/p{person}")].len()).sum();
    assert_eq!((vertex_changes as u64, positions.len() as u64), (number, number), "each change once");
    let row = environment.checkpoint_row().await;
    assert_eq!(row["position"]["S"], format!("{number:020}/{:020}", 3), "{row}");
    assert!(row["owner"].is_null() && row["epoch"]["N"].is_string(), "the lease is not released: {row}");
}

#[tokio::test]
async fn successor_takes_over_and_replay_publishes_same_messages() {
    let environment = PollerEnvironment::start("handover").await;
    for number in 0..20 {
        environment.commit(number).await;
    }
    let mut first = environment.start_function("follow").await;
    let mut second = environment.start_function("drain").await;
    let tick = json!({"source": "aws.events"});
    let ticks = async {
        let successor = async {
            sleep(Duration::from_millis(500)).await;
            invoke(&mut second, &tick).await
        };
        tokio::join!(invoke(&mut first, &tick), successor)
    };
    let (first_run, second_run) = timeout(TIMEOUT, ticks).await.expect("both end in time");
    assert_eq!((&first_run["ended"], &second_run["ended"]), (&json!("handed over"), &json!("drained")));
    let published = receive_messages(&environment.aws, &environment.queue, 33).await;

    let replay = json!({"replay": {"from": "1/1", "to": "20/1"}});
    let response = invoke(&mut second, &replay).await;
    assert_eq!((&response["complete"], &response["changes"]), (&json!(true), &json!(33)), "{response}");
    let replayed = receive_messages(&environment.aws, &environment.queue, 33).await;
    let sorted = |mut bodies: Vec<String>| {
        bodies.sort();
        bodies
    };
    assert_eq!(sorted(replayed), sorted(published));
}

#[tokio::test]
async fn export_sends_graph_older_than_the_stream_to_queue() {
    let environment = PollerEnvironment::start("export").await;
    let older = Commit::new().unstreamed().add_vertex("p", ["person"]).set("p", "name", "미나");
    let older = older.add_vertex("s", ["story"]).set("s", "title", "첫눈").add_edge("t", "told", "p", "s");
    environment.neptune.client().commit(&older).await.expect("commit");
    let mut poller = environment.start_function("drain").await;
    let response = invoke(&mut poller, &json!({})).await;
    assert_eq!((&response["ended"], &response["changes"]), (&json!("drained"), &json!(0)), "{response}");

    let mut graph_export = environment.start_graph_export().await;
    let response = invoke(&mut graph_export, &json!({"export": {"dryRun": true}})).await;
    let counted = json!({"ended": "exported", "vertices": 1, "edges": 1, "undecided": 1, "undated": 1, "skipped": 0});
    assert_eq!(response, counted);
    let export = json!({"export": {"withoutVisibility": "private", "undatedAt": "2024-01-01T00:00:00Z"}});
    let response = invoke(&mut graph_export, &export).await;
    assert_eq!((&response["vertices"], &response["undecided"]), (&json!(2), &json!(0)), "{response}");
    let bodies = receive_messages(&environment.aws, &environment.queue, 3).await;
    let changes: Vec<_> = bodies.iter().map(|body| Change::from_cloud_event(body).expect("change").change).collect();
    assert!(changes.iter().all(|change| change.position == Position::new(0, 0)), "{bodies:?}");
    let edge = changes.iter().find(|change| change.entity_id == "t").expect("edge");
    assert_eq!(edge.commit_timestamp_ms, 1_704_067_200_000);

    let other_graph = json!({"export": {"generation": 7}});
    let Outcome::Error(error) = graph_export.invoke(&other_graph).await.expect("response") else {
        panic!("it exported another graph")
    };
    assert!(error.to_string().contains("the graph was reset"), "{error}");
}
