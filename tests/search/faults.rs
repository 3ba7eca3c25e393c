//! States of OpenSearch in which it refuses writes or forgets them, and how the client reports them. The indexer retries
//! `Retry` and failures, and dead-letters `Rejected`. The embedded engine has none of these states.

use std::{cell::Cell, collections::BTreeMap, time::Duration};

use domain::{
    neptune_fts,
    search::{Content, Document, Query},
};
use function_kit::failure::Kind;
use opensearch::{Index, MatchMode, Outcome, Search, Settings, Target};
use reqwest::Method;
use serde_json::{Value, json};
use stack::search_server::{Engine, SearchServer};

use crate::{
    calls::call,
    documents::{story, tombstone},
    engines::{JUN, World, has_opensearch},
};

/// Changes settings of the index.
async fn set(world: &World, settings: Value) {
    let answer = call(world, Method::PUT, &format!("/{}/_settings", world.alias), &settings).await;
    assert_eq!(answer, json!({"acknowledged": true}));
}

fn version(id: &str, title: &str, version: u64) -> Document {
    Document { version, ..story(id, title) }
}

#[tokio::test]
async fn tombstone_outlives_the_time_after_which_deletions_are_forgotten() {
    if !has_opensearch() {
        return;
    }
    let world = World::with(Engine::OpenSearch, &[version("s1", "첫눈", 1)]).await;
    set(&world, json!({"index.gc_deletes": "1ms"})).await;
    assert_eq!(
        world.write(&[tombstone("s1", 3), version("s2", "첫눈", 1)]).await,
        [Outcome::Written, Outcome::Written]
    );
    let path = format!("/{}/_doc/s2?version=3&version_type=external&refresh=true", world.alias);
    assert_eq!(call(&world, Method::DELETE, &path, &Value::Null).await["result"], "deleted");
    // Deletions are forgotten in the background after the time.
    let late = [version("s1", "첫눈", 2), version("s2", "첫눈", 2)];
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let outcomes = world.write(&late).await;
        assert_eq!(outcomes[0], Outcome::Superseded, "the tombstone is a document");
        if outcomes[1] == Outcome::Written {
            assert_eq!(world.found("jun", "첫눈").await, ["s2"], "a deletion is forgotten");
            return;
        }
    }
    panic!("the deletion was not forgotten");
}

#[tokio::test]
async fn write_is_found_without_a_request_to_refresh_and_needs_no_second_node() {
    if !has_opensearch() {
        return;
    }
    let world = World::with(Engine::OpenSearch, &[]).await;
    world.index.write(Target::Alias, &[story("s1", "첫눈")]).await.expect("outcomes");
    let mut tries = 0..200;
    while world.found("jun", "첫눈").await.is_empty() {
        assert!(tries.next().is_some(), "the write was not found");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let health = call(&world, Method::GET, &format!("/_cluster/health/{}", world.alias), &Value::Null).await;
    assert_eq!((&health["status"], &health["unassigned_shards"]), (&json!("green"), &json!(0)), "{health}");
}

#[tokio::test]
async fn full_write_queue_is_retried_until_all_documents_are_written() {
    if !has_opensearch() {
        return;
    }
    let settings = ["thread_pool.write.size=1", "thread_pool.write.queue_size=1"];
    let server = SearchServer::start_with(Engine::OpenSearch, "small-queue", &settings).expect("a server");
    let world = World::at(server.endpoint(), Engine::OpenSearch.analyzer().parse().expect("an analyzer"));
    world.fill(&[]).await;
    let batches: Vec<Vec<_>> = (0..40)
        .map(|batch| (0..200).map(|n| story(&format!("s{batch}-{n}"), "첫눈 오는 날의 약속")).collect())
        .collect();
    let mut pending: Vec<_> = batches.iter().map(Vec::as_slice).collect();
    let mut rejected = 0;
    for _ in 0..200 {
        let writes: Vec<_> = pending.iter().map(|batch| world.index.write(Target::Alias, batch)).collect();
        let results = futures_util::future::join_all(writes).await;
        let mut again = Vec::new();
        for (batch, result) in pending.iter().zip(results) {
            let outcomes = match result {
                Ok(outcomes) => outcomes,
                Err(failure) => {
                    assert_eq!(failure.kind, Kind::Transient, "{failure}");
                    vec![Outcome::Retry("the whole request".into())]
                }
            };
            let is_done = |outcome: &Outcome| matches!(outcome, Outcome::Written | Outcome::Superseded);
            if !outcomes.iter().all(is_done) {
                let refused = outcomes.iter().find(|outcome| !is_done(outcome));
                assert!(matches!(refused, Some(Outcome::Retry(_))), "{refused:?}");
                again.push(*batch);
            }
        }
        rejected += again.len();
        pending = again;
        if pending.is_empty() {
            break;
        }
    }
    assert!(pending.is_empty() && rejected > 0, "{} pending, {rejected} rejected", pending.len());
    world.refresh().await;
    let count = call(&world, Method::GET, &format!("/{}/_count", world.alias), &json!({})).await;
    assert_eq!(count["count"], 8_000, "{count}");
}

#[tokio::test]
async fn document_that_the_mapping_does_not_fit_is_rejected_alone() {
    if !has_opensearch() {
        return;
    }
    let world = World::new(Engine::OpenSearch);
    // An index from before tags.
    let mut settings = json!({"mappings": {"dynamic": "strict", "properties": {}}});
    for field in ["deleted", "kind", "id", "author", "visibility", "publishedAt", "text"] {
        settings["mappings"]["properties"][field] = json!({"type": "keyword"});
    }
    settings["aliases"] = json!({&world.alias: {}});
    call(&world, Method::PUT, &format!("/{}-000001", world.alias), &settings).await;
    let mut tagged = story("s1", "첫눈");
    if let Content::Story(story) = &mut tagged.content {
        story.tags = vec!["snow".into()];
    }
    let outcomes = world.write(&[tagged, story("s2", "첫눈")]).await;
    assert_eq!(outcomes[0], Outcome::Rejected("status 400, strict_dynamic_mapping_exception".into()));
    assert_eq!(outcomes[1], Outcome::Written);
}

#[tokio::test]
async fn mirror_document_beyond_the_field_limit_is_rejected_alone() {
    if !has_opensearch() {
        return;
    }
    let world = World::new(Engine::OpenSearch);
    world.index.create_first(&Settings::mirror()).await.expect("an index");
    let document = |id: &str, names: std::ops::Range<u32>| {
        let predicates: BTreeMap<_, _> = names.map(|n| (format!("p{n}"), json!([{"value": "첫눈"}]))).collect();
        let source =
            json!({"entity_id": id, "entity_type": ["story"], "document_type": "vertex", "predicates": predicates});
        neptune_fts::Document { id: id.into(), version: 1, source }
    };
    // Each name makes three fields; an index has at most 1,000.
    let few: Vec<_> = (0..4).map(|part| document(&format!("v{part}"), part * 60..(part + 1) * 60)).collect();
    let outcomes = world.index.write(Target::Alias, &few).await.expect("outcomes");
    assert_eq!(outcomes, [const { Outcome::Written }; 4]);
    let beyond = [document("w1", 300..400), document("w2", 0..60)];
    let outcomes = world.index.write(Target::Alias, &beyond).await.expect("outcomes");
    assert_eq!(outcomes, [Outcome::Rejected("status 400, illegal_argument_exception".into()), Outcome::Written]);
}

#[tokio::test]
async fn longest_indexable_keyword_is_32766_bytes() {
    if !has_opensearch() {
        return;
    }
    let world = World::with(Engine::OpenSearch, &[]).await;
    let outcomes = world.write(&[story(&"x".repeat(32_766), "첫눈"), story(&"x".repeat(32_767), "첫눈")]).await;
    assert_eq!(outcomes, [Outcome::Written, Outcome::Rejected("status 400, illegal_argument_exception".into())]);
}

#[tokio::test]
async fn closed_index_is_retried_until_it_is_open() {
    if !has_opensearch() {
        return;
    }
    let world = World::with(Engine::OpenSearch, &[story("s1", "첫눈")]).await;
    call(&world, Method::POST, &format!("/{}-000001/_close", world.alias), &Value::Null).await;
    let outcomes = world.index.write(Target::Alias, &[story("s2", "첫눈")]).await.expect("outcomes");
    assert_eq!(outcomes, [Outcome::Retry("status 400, index_closed_exception".into())]);
    let query = Query::parse("첫눈").expect("a query");
    let search = Search { query: Some((MatchMode::Words, &query)), kind: None, tag: None };
    let failure = world.index.search(search, JUN, None, 1).await.expect_err("a failure");
    assert_eq!(failure.kind, Kind::Transient, "{failure}");
    call(&world, Method::POST, &format!("/{}-000001/_open?wait_for_active_shards=1", world.alias), &Value::Null).await;
    assert_eq!(world.write(&[story("s2", "첫눈")]).await, [Outcome::Written]);
    assert_eq!(world.found("jun", "첫눈").await, ["s1", "s2"]);
}

#[tokio::test]
async fn index_without_disk_space_is_retried_and_still_searched() {
    if !has_opensearch() {
        return;
    }
    for block in ["index.blocks.read_only_allow_delete", "index.blocks.write"] {
        let world = World::with(Engine::OpenSearch, &[story("s1", "첫눈")]).await;
        set(&world, json!({ block: true })).await;
        let outcomes = world.index.write(Target::Alias, &[story("s2", "첫눈")]).await.expect("outcomes");
        let is_blocked =
            |outcome: &Outcome| matches!(outcome, Outcome::Retry(why) if why.ends_with("cluster_block_exception"));
        assert!(outcomes.iter().all(is_blocked), "{block}: {outcomes:?}");
        assert_eq!(world.found("jun", "첫눈").await, ["s1"], "{block}");
        set(&world, json!({ block: false })).await;
        assert_eq!(world.write(&[story("s2", "첫눈")]).await, [Outcome::Written], "{block}");
    }
}

#[tokio::test]
async fn acknowledged_writes_survive_a_killed_node() {
    if !has_opensearch() {
        return;
    }
    let mut server = SearchServer::start(Engine::OpenSearch, "killed-node").expect("a server");
    let world = World::at(server.endpoint(), Engine::OpenSearch.analyzer().parse().expect("an analyzer"));
    world.fill(&[]).await;
    let batches: Vec<Vec<_>> =
        (0..400).map(|batch| (0..50).map(|n| story(&format!("s{batch}-{n}"), "첫눈")).collect()).collect();
    let acknowledged = Cell::new(0);
    let writer = async {
        for batch in &batches {
            match world.index.write(Target::Alias, batch).await {
                Ok(outcomes) => assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Written), "{outcomes:?}"),
                Err(failure) => {
                    assert_eq!(failure.kind, Kind::Transient, "{failure}");
                    return;
                }
            }
            acknowledged.set(acknowledged.get() + 1);
        }
        panic!("all batches were written before the node was killed");
    };
    let kill = async {
        while acknowledged.get() < 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        server.kill().expect("killed");
    };
    tokio::join!(writer, kill);
    let acknowledged = acknowledged.get();
    server.restart().expect("a server");
    // The indexer gets its messages again. What was written is superseded; the batch in flight may be there in part.
    let query = Query::parse("첫눈").expect("a query");
    let search = Search { query: Some((MatchMode::Words, &query)), kind: None, tag: None };
    for (number, batch) in batches.iter().take(acknowledged + 2).enumerate() {
        let outcomes = eventually(&world.index, batch).await;
        let is_expected = |outcome: &Outcome| match number < acknowledged {
            true => *outcome == Outcome::Superseded,
            false => matches!(outcome, Outcome::Written | Outcome::Superseded),
        };
        assert!(outcomes.iter().all(is_expected), "batch {number} of {acknowledged}: {outcomes:?}");
    }
    assert_eq!(world.index.search(search, JUN, None, 5).await.expect("a page").hits.len(), 5);
}

/// Writes until the node has recovered the index. Until then, it must not seem to be missing: the indexer would create it.
async fn eventually(index: &Index, documents: &[Document]) -> Vec<Outcome> {
    for _ in 0..100 {
        match index.write(Target::Alias, documents).await {
            Ok(outcomes) if outcomes.iter().any(|outcome| matches!(outcome, Outcome::Retry(_))) => {}
            Ok(outcomes) => return outcomes,
            Err(failure) => assert_eq!(failure.kind, Kind::Transient, "{failure}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the node does not recover");
}

#[tokio::test]
async fn alias_switch_under_load_loses_no_write_and_no_search() {
    if !has_opensearch() {
        return;
    }
    let documents = |version_number: u64| -> Vec<_> {
        (0..100).map(|n| version(&format!("s{n:03}"), "첫눈", version_number)).collect()
    };
    let world = World::with(Engine::OpenSearch, &documents(1)).await;
    let second = world.index.index_name(2);
    world.index.create(&second, &world.settings()).await.expect("an index");
    // Step 1 of a rebuild.
    let outcomes = world.index.write(Target::Index(&second), &documents(1)).await.expect("outcomes");
    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Written));
    world.refresh().await;
    let (is_switched, latest) = (Cell::new(false), Cell::new(1));
    let writer = async {
        let mut after_switch = 0;
        while after_switch < 5 {
            after_switch += u32::from(is_switched.get());
            let outcomes = world.index.write(Target::Alias, &documents(latest.get() + 1)).await.expect("outcomes");
            assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Written), "{outcomes:?}");
            latest.set(latest.get() + 1);
        }
    };
    let reader = async {
        while !is_switched.get() {
            assert_eq!(world.found("jun", "첫눈").await.len(), 50, "a full page");
        }
        assert_eq!(world.found("jun", "첫눈").await.len(), 50, "a full page");
    };
    let switch = async {
        while latest.get() < 5 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        world.index.switch_alias(&second, &world.settings()).await.expect("switched");
        is_switched.set(true);
    };
    tokio::join!(writer, reader, switch);
    // Step 3 of a rebuild repeats what went to the old index.
    let outcomes = world.index.write(Target::Index(&second), &documents(latest.get())).await.expect("outcomes");
    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Superseded), "the latest writes followed the alias");
    let aliases = call(&world, Method::GET, &format!("/_alias/{}", world.alias), &Value::Null).await;
    assert_eq!(aliases.as_object().map(|aliases| aliases.keys().cloned().collect::<Vec<_>>()), Some(vec![second]));
}
