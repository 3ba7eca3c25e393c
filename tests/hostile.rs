//! Clients that mean harm, against the deployed stack: at random from a seed, so that what fails can
//! be repeated. `IYAGI_SEED` names another seed than the usual one.

mod support;

#[path = "hostile/flood.rs"]
mod flood;
#[path = "hostile/forgery.rs"]
mod forgery;
#[path = "hostile/matrix.rs"]
mod matrix;
#[path = "hostile/model.rs"]
mod model;

use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};

use domain::media::{Kind, MediaId};
use http::Method;
use local::{
    neptune::Commit,
    uploads::{File, put},
    users::User,
};
use matrix::{Matrix, POSTS, secret_name};
use model::{Item, Model, Relations, State};
use serde_json::{Value, json};
use support::{
    Deployed,
    chance::Chance,
    photograph,
    rights::{VISIBILITIES, rights},
};

/// Calls with something at random in each: some become several.
const STEPS: usize = 400;

#[tokio::test]
async fn nobody_sees_or_changes_what_is_not_theirs() {
    let deployed = Deployed::get();
    let chance = Chance::seeded(20_261_123);
    let mut people = Vec::new();
    for name in ["Mina", "Jun", "Haneul", "Sora"] {
        people.push(deployed.person(name).await);
    }
    let mut items = BTreeMap::new();
    // Sora has nothing, and follows nobody.
    for (owner, person) in people.iter().enumerate().take(2) {
        for visibility in VISIBILITIES {
            for (kind, state) in [("photo", State::Ready), ("audio", State::Failed), ("avatar", State::Ready)] {
                let post = Some(POSTS[items.len() % 2]);
                let file = file(kind, visibility, post, secret_name(person));
                let sent = File { name: &file.0, ..file.1 }.send(&deployed.stack, person).await.expect("sent");
                items.insert(sent.id, Item { owner, visibility, kind, post, state });
            }
        }
    }
    for (id, item) in &items {
        let outcome = deployed.outcome_for(&people[item.owner], *id).await;
        assert_eq!(outcome["state"] == "ready", item.state == State::Ready, "{outcome}");
    }
    let relations = Relations { followers: vec![(1, 0), (2, 0), (0, 1), (2, 1)], blocked: vec![(2, 0)] };
    tell_graph(&deployed, &people, &relations).await;

    let mut ids: Vec<String> = items.keys().map(MediaId::to_string).collect();
    ids.extend(["phone", "tablet", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"].map(str::to_owned));
    ids.extend(people.iter().map(|user| user.id.clone()));
    let model = Model { rights: rights(), relations, items, devices: BTreeMap::new(), preferences: BTreeMap::new() };
    let mut matrix = Matrix {
        deployed: &deployed,
        people: &people,
        model,
        chance,
        ids,
        cursors: Vec::new(),
        handles: Vec::new(),
        calls: BTreeMap::new(),
        deletions: 0,
    };
    for _ in 0..STEPS {
        matrix.step().await;
    }
    println!("{:#?}", matrix.calls);
    let asked: Vec<_> = matrix.calls.keys().map(|(route, _)| route.as_str()).collect();
    for route in routes() {
        assert!(asked.contains(&route.as_str()), "nobody asked {route}");
    }
}

/// A small file that becomes what is wanted, and what it is called.
fn file(
    kind: &'static str,
    visibility: &'static str,
    post: Option<&'static str>,
    name: String,
) -> (String, File<'static>) {
    let kind = Kind::named(kind).expect("a kind");
    let (content_type, bytes) = match kind {
        Kind::Audio => ("audio/mp4", vec![1; 100]),
        Kind::Avatar | Kind::Photo => ("image/jpeg", photograph("고양이.jpg")),
    };
    (name, File { kind, name: "", content_type, bytes, visibility, post })
}

/// Writes people and relations to the graph, and waits until the API knows of the last.
async fn tell_graph(deployed: &Deployed, people: &[User], relations: &Relations) {
    let id = |person: usize| &people[person].id;
    let mut commit = Commit::new();
    for user in people {
        commit = commit.add_vertex(&user.id, ["person"]).set(&user.id, "name", user.name.as_str());
    }
    for (label, pairs) in [("follows", &relations.followers), ("blocks", &relations.blocked)] {
        for (who, whom) in pairs {
            // Blocks are told the other way round: of who is blocked by whom.
            let (from, to) = if label == "follows" { (id(*who), id(*whom)) } else { (id(*whom), id(*who)) };
            commit = commit.add_edge(format!("{label}-{from}-{to}"), label, from, to);
        }
    }
    deployed.commit(&commit).await;
    deployed.settle("PushQueueUrl").await;
}

/// All operations of the document.
fn routes() -> Vec<String> {
    let document = fs::read(local::openapi::path()).expect("the document");
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
async fn a_token_that_differs_anywhere_lets_nobody_in() {
    let deployed = Deployed::get();
    let mut chance = Chance::seeded(7);
    let mina = deployed.person("Mina").await;
    let ask = async |token: &str| {
        let user = User { access_token: token.to_owned(), ..mina.clone() };
        deployed.ask(&user, Method::GET, "/v1/media", None).await.status
    };
    assert_eq!(ask(&mina.access_token).await, 200);
    let mut others = Vec::new();
    for (what, token) in forgery::tokens(&mina.access_token, &mut chance) {
        let status = ask(&token).await;
        if !matches!(status, 400 | 401 | 403 | 431) {
            others.push((what, status));
        }
    }
    assert!(others.is_empty(), "{others:?}");
    assert_eq!(ask(&mina.access_token).await, 200);
}

#[tokio::test]
async fn a_form_that_differs_anywhere_uploads_nothing() {
    let deployed = Deployed::get();
    let mina = deployed.person("Mina").await;
    let (name, file) = file("photo", "private", None, "a.jpg".to_owned());
    let file = File { name: &name, ..file };
    let upload = deployed.ask(&mina, Method::POST, "/v1/uploads", Some(&file.declaration())).await.body;
    let forms = forgery::forms(&upload);
    assert!(forms.len() > 30, "{}", forms.len());
    let mut others = Vec::new();
    for (what, form) in forms {
        let status = put(&form, file.bytes.clone()).await.expect("an answer").as_u16();
        if !(400..500).contains(&status) {
            others.push((what, status));
        }
    }
    assert!(others.is_empty(), "{others:?}");
    let originals = deployed.output("OriginalsBucketName");
    let prefix = format!("photo/{}/", mina.id);
    assert!(deployed.aws.list_objects(originals, &prefix).await.expect("a list").is_empty());
    assert_eq!(put(&upload, file.bytes.clone()).await.expect("an answer"), 200);
    for _ in 0..3 {
        assert_eq!(put(&upload, file.bytes.clone()).await.expect("an answer"), 412, "replayed");
    }
}

#[tokio::test]
async fn a_cursor_that_differs_anywhere_leads_nowhere() {
    let deployed = Deployed::get();
    let mut chance = Chance::seeded(11);
    let mina = deployed.person("Mina").await;
    for _ in 0..2 {
        let (name, file) = file("audio", "public", None, "a.m4a".to_owned());
        let sent = deployed.send(&mina, &File { name: &name, ..file }).await;
        deployed.outcome_for(&mina, sent.id).await;
    }
    let page = deployed.ask(&mina, Method::GET, "/v1/media?limit=1", None).await;
    let next = page.body["next"].as_str().expect("a cursor").to_owned();
    assert_eq!(deployed.ask(&mina, Method::GET, &format!("/v1/media?cursor={next}"), None).await.status, 200);
    for route in ["/v1/media?limit=1", "/v1/search?q=a"] {
        for (what, cursor) in forgery::cursors(&next, &mut chance) {
            let answer = deployed.ask(&mina, Method::GET, &format!("{route}&cursor={cursor}"), None).await;
            let refused = (400, &json!("urn:iyagi:problem:invalid-cursor"));
            assert_eq!((answer.status, &answer.body["type"]), refused, "{route}, {what}: {cursor}");
        }
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_what_is_slow_holds_nobody_up() {
    let deployed = Deployed::get();
    let mina = deployed.person("Mina").await;
    for (what, status) in flood::oversized(&deployed, &mina).await {
        println!("{what}: {status}");
        assert!((400..500).contains(&status), "{what}: {status}");
    }
    let slow = flood::Slow::begin(&deployed, &mina, 24).await;
    let mut longest = Duration::ZERO;
    for _ in 0..40 {
        let begin = Instant::now();
        assert_eq!(deployed.ask(&mina, Method::GET, "/v1/media", None).await.status, 200);
        longest = longest.max(begin.elapsed());
    }
    println!("beside 24 slow bodies, the slowest of 40 answers took {longest:?}");
    assert!(slow.is_under_way(), "they were answered before they had ended");
    for status in slow.end().await {
        assert_eq!(status, 400, "a body that came byte by byte");
    }
}
