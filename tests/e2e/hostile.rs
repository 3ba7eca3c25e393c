//! Malicious clients against the deployed API: random calls, forged credentials, large and slow requests.
//!
//! Random choices follow from a seed, so a failure can be repeated. `IYAGI_SEED` sets another seed.
//!
//! Functions: upload-api, media-api, device-api, inbox-api, account-api, export-worker, search-api, stream-poller, search-indexer.

mod forgeries;
mod large_and_slow;
mod model;
mod random_calls;

use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};

use domain::media::{Kind, MediaId};
use neptune::Commit;
use serde_json::Value;
use stack::{
    uploads::{UploadFile, put_presigned},
    users::User,
};
use test_support::photographs::photograph;

use self::{
    large_and_slow::SlowRequests,
    model::{Item, Model, Relations, State},
    random_calls::{POSTS, RandomCalls, file_name},
};
use crate::{
    access_table::{VISIBILITIES, access_rules},
    commits::{add_edge, add_people},
    deployed::Deployed,
    seeded_random::SeededRandom,
};

/// The number of random steps. Some steps make several calls.
const STEPS: usize = 800;

#[tokio::test]
async fn random_calls_read_and_change_only_what_the_access_table_allows() {
    let deployed = Deployed::shared().await;
    let random = SeededRandom::new(20_261_123);
    let mut people = Vec::new();
    for name in ["Mina", "Jun", "Haneul", "Sora"] {
        people.push(deployed.sign_up(name).await);
    }
    let mut items = BTreeMap::new();
    // Sora has no items and no relations.
    for (owner, person) in people.iter().enumerate().take(2) {
        let name = file_name(person);
        for visibility in VISIBILITIES {
            for (kind, state) in [("photo", State::Ready), ("audio", State::Failed), ("avatar", State::Ready)] {
                let post = Some(POSTS[items.len() % 2]);
                let file = UploadFile { name: &name, post, ..file(kind, visibility) };
                let sent = deployed.upload(person, &file).await;
                items.insert(sent.id, Item { owner, visibility, kind, post, state });
            }
        }
    }
    for (id, item) in &items {
        let processed = deployed.wait_until_processed_for(&people[item.owner], *id).await;
        assert_eq!(processed["state"] == "ready", item.state == State::Ready, "{processed}");
    }
    let relations = Relations { followers: vec![(1, 0), (2, 0), (0, 1), (2, 1)], blocked: vec![(2, 0)] };
    commit_relations(&deployed, &people, &relations).await;

    let mut ids: Vec<String> = items.keys().map(MediaId::to_string).collect();
    ids.extend(["phone", "tablet", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"].map(str::to_owned));
    ids.extend(people.iter().map(|user| user.id.clone()));
    let model =
        Model { rules: access_rules(), relations, items, devices: BTreeMap::new(), preferences: BTreeMap::new() };
    let mut calls = RandomCalls {
        deployed: &deployed,
        people: &people,
        model,
        random,
        ids,
        cursors: Vec::new(),
        handles: Vec::new(),
        counts: BTreeMap::new(),
        deletions: 0,
        changes: 0,
    };
    for _ in 0..STEPS {
        calls.step().await;
    }
    calls.export(3).await;
    calls.erase(3).await;
    println!("{:#?}", calls.counts);
    let called: Vec<_> = calls.counts.keys().map(|(route, _)| route.as_str()).collect();
    for route in routes() {
        assert!(called.contains(&route.as_str()), "no call of {route}");
    }
}

/// A small file that becomes `ready` (a picture) or `failed` (audio).
fn file(kind: &str, visibility: &'static str) -> UploadFile<'static> {
    let kind: Kind = kind.parse().expect("kind");
    let (content_type, bytes) = match kind {
        Kind::Audio => ("audio/mp4", vec![1; 100]),
        Kind::Avatar | Kind::Photo => ("image/jpeg", photograph("고양이.jpg")),
    };
    UploadFile { kind, name: "a file", content_type, bytes, visibility, post: None }
}

/// Commits people and relations, and waits until the API uses them.
async fn commit_relations(deployed: &Deployed, people: &[User], relations: &Relations) {
    let id = |person: usize| &people[person].id;
    let mut commit = add_people(Commit::new(), people);
    for &(follower, owner) in &relations.followers {
        commit = add_edge(commit, "follows", id(follower), id(owner));
    }
    for &(blocked, owner) in &relations.blocked {
        commit = add_edge(commit, "blocks", id(owner), id(blocked));
    }
    deployed.commit(&commit).await;
    deployed.wait_until_consumed("PushQueueUrl").await;
}

/// All operations of the API's document, as `METHOD path`.
fn routes() -> Vec<String> {
    let document = fs::read(stack::paths::openapi()).expect("document");
    let document: Value = serde_json::from_slice(&document).expect("JSON");
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        let is_method = |name: &&String| ["get", "put", "post", "delete"].contains(&name.as_str());
        let methods = methods.as_object().expect("methods").keys().filter(is_method);
        routes.extend(methods.map(|method| format!("{} {path}", method.to_uppercase())));
    }
    assert!(routes.len() >= 16, "{routes:?}");
    routes
}

#[tokio::test]
async fn forged_access_token_is_refused() {
    let deployed = Deployed::shared().await;
    let mut random = SeededRandom::new(7);
    let mina = deployed.sign_up("Mina").await;
    let status = async |token: &str| {
        let user = User { access_token: token.to_owned(), ..mina.clone() };
        deployed.get(&user, "/v1/media").await.status
    };
    assert_eq!(status(&mina.access_token).await, 200);
    let mut accepted = Vec::new();
    for (what, token) in forgeries::tokens(&mina.access_token, &mut random) {
        let status = status(&token).await;
        if !matches!(status, 400 | 401 | 403 | 431) {
            accepted.push((what, status));
        }
    }
    assert!(accepted.is_empty(), "{accepted:?}");
    assert_eq!(status(&mina.access_token).await, 200);
}

#[tokio::test]
async fn forged_upload_request_stores_nothing() {
    let deployed = Deployed::shared().await;
    let mina = deployed.sign_up("Mina").await;
    let file = UploadFile { name: "a.jpg", ..file("photo", "private") };
    let upload = deployed.post(&mina, "/v1/uploads", &file.request_body()).await.body;
    let put_status =
        async |request: &Value| put_presigned(request, file.bytes.clone()).await.expect("response").as_u16();
    let forged = forgeries::upload_requests(&upload);
    assert!(forged.len() > 30, "{}", forged.len());
    let mut accepted = Vec::new();
    for (what, request) in forged {
        let status = put_status(&request).await;
        if !(400..500).contains(&status) {
            accepted.push((what, status));
        }
    }
    assert!(accepted.is_empty(), "{accepted:?}");
    assert!(deployed.original_keys(&format!("photo/{}/", mina.id)).await.is_empty());
    assert_eq!(put_status(&upload).await, 200);
    for _ in 0..3 {
        assert_eq!(put_status(&upload).await, 412, "replayed");
    }
}

#[tokio::test]
async fn forged_cursor_returns_400() {
    let deployed = Deployed::shared().await;
    let mut random = SeededRandom::new(11);
    let mina = deployed.sign_up("Mina").await;
    for _ in 0..2 {
        deployed.upload_and_process(&mina, &UploadFile { name: "a.m4a", ..file("audio", "public") }).await;
    }
    let page = deployed.get(&mina, "/v1/media?limit=1").await;
    let next = page.body["next"].as_str().expect("cursor").to_owned();
    assert_eq!(deployed.get(&mina, &format!("/v1/media?cursor={next}")).await.status, 200);
    for route in ["/v1/media?limit=1", "/v1/search?q=a"] {
        for (what, cursor) in forgeries::cursors(&next, &mut random) {
            let response = deployed.get(&mina, &format!("{route}&cursor={cursor}")).await;
            let refusal = (400, "urn:iyagi:problem:invalid-cursor");
            assert_eq!(response.problem(), refusal, "{route}, {what}: {cursor}");
        }
    }
}

#[tokio::test]
async fn large_requests_are_refused_and_slow_ones_delay_no_other() {
    let deployed = Deployed::shared().await;
    let mina = deployed.sign_up("Mina").await;
    for (what, status) in large_and_slow::send_large_requests(&deployed, &mina).await {
        println!("{what}: {status}");
        assert!((400..500).contains(&status), "{what}: {status}");
    }
    let slow = SlowRequests::start(&deployed, &mina, 24).await;
    let mut longest = Duration::ZERO;
    for _ in 0..40 {
        let start = Instant::now();
        assert_eq!(deployed.get(&mina, "/v1/media").await.status, 200);
        longest = longest.max(start.elapsed());
    }
    println!("beside 24 slow requests, the slowest of 40 responses took {longest:?}");
    assert!(slow.are_pending(), "a response came before the end of the request");
    for status in slow.finish().await {
        assert_eq!(status, 400, "a slow body");
    }
}
