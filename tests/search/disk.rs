//! A node whose disk is full refuses writes and new indexes until space is free. OpenSearch measures the disk every ten seconds.

use std::time::Duration;

use function_kit::failure::Kind;
use opensearch::{Outcome, Target};
use reqwest::Method;
use serde_json::json;
use stack::search_server::{Engine, SearchServer};

use crate::{
    calls::call,
    documents::story,
    engines::{World, has_opensearch},
};

const WATERMARK: &str = "cluster.routing.allocation.disk.watermark";

/// Seconds until the node has measured its disk, also on a busy machine.
const PATIENCE: usize = 120;

/// The free space below which the disk counts as full.
async fn set_full_below(world: &World, unit: &str) {
    let settings = [("low", 3), ("high", 2), ("flood_stage", 1)];
    let settings: serde_json::Map<_, _> = settings
        .into_iter()
        .map(|(name, space)| (format!("{WATERMARK}.{name}"), json!(format!("{space}{unit}"))))
        .collect();
    let answer = call(world, Method::PUT, "/_cluster/settings", &json!({"transient": settings})).await;
    assert_eq!(answer["acknowledged"], true, "{answer}");
}

#[tokio::test]
async fn full_disk_is_retried_until_space_is_free() {
    if !has_opensearch() {
        return;
    }
    let always_free = ["low=3b", "high=2b", "flood_stage=1b"].map(|watermark| format!("{WATERMARK}.{watermark}"));
    let mut settings =
        vec!["cluster.routing.allocation.disk.threshold_enabled=true", "cluster.info.update.interval=10s"];
    settings.extend(always_free.iter().map(String::as_str));
    let server = SearchServer::start_with(Engine::OpenSearch, "full-disk", &settings).expect("a server");
    let analyzer = Engine::OpenSearch.analyzer().parse().expect("an analyzer");
    let (world, new) = (World::at(server.endpoint(), analyzer), World::at(server.endpoint(), analyzer));
    world.fill(&[story("s0", "첫눈")]).await;

    set_full_below(&world, "pb").await;
    let refused = first(&world, |outcome| !matches!(outcome, Outcome::Written)).await;
    assert_eq!(refused, Outcome::Retry("status 429, cluster_block_exception".into()));
    let found = world.found("jun", "첫눈").await;
    assert!(found.contains(&"s0".to_owned()), "{found:?}");
    // The first index of an alias cannot be created either. Its changes wait in the queue.
    assert_eq!(new.index.write(Target::Alias, &[story("s0", "첫눈")]).await.expect("outcomes"), [Outcome::NoIndex]);
    let mut tries = 0..PATIENCE;
    let failure = loop {
        match new.index.create_first(&new.settings()).await {
            Err(failure) => break failure,
            Ok(()) => {
                // The block of new indexes follows the block of writes.
                call(&new, Method::DELETE, &format!("/{}-000001", new.alias), &json!(null)).await;
                assert!(tries.next().is_some(), "indexes are created on a full disk");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    };
    assert_eq!(failure.kind, Kind::Transient, "{failure}");
    assert!(failure.to_string().contains("index_create_block_exception"), "{failure}");

    set_full_below(&world, "b").await;
    first(&world, |outcome| matches!(outcome, Outcome::Written)).await;
    let mut tries = 0..PATIENCE;
    while let Err(failure) = new.index.create_first(&new.settings()).await {
        assert_eq!(failure.kind, Kind::Transient, "{failure}");
        assert!(tries.next().is_some(), "no index is created: {failure}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(new.write(&[story("s0", "첫눈")]).await, [Outcome::Written]);
}

/// The first outcome of this kind, of writes every second.
async fn first(world: &World, is_expected: impl Fn(&Outcome) -> bool) -> Outcome {
    for _ in 0..PATIENCE {
        let id = uuid::Uuid::new_v4().to_string();
        let outcome = world.index.write(Target::Alias, &[story(&id, "함박눈")]).await.expect("outcomes").remove(0);
        if is_expected(&outcome) {
            return outcome;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("no such outcome");
}
