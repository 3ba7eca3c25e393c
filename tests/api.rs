//! The read API through the deployed stack: who is shown what, page by page, and what clients may
//! keep.

mod support;

use std::{collections::BTreeMap, fs};

use domain::media::{Kind, MediaId};
use http::Method;
use local::{
    neptune::Commit,
    uploads::{File, Sent},
    users::User,
};
use serde_json::{Value, json};
use support::{
    Deployed, eventually, photograph,
    rights::{Right, VISIBILITIES, rights},
};

/// Sound that is none: what is to be seen of it is known soonest.
fn file<'a>(visibility: &'a str, post: Option<&'a str>) -> File<'a> {
    File { kind: Kind::Audio, name: "비밀.m4a", content_type: "audio/mp4", bytes: vec![1; 100], visibility, post }
}

/// Uploads one after the other and waits until their owner sees them.
async fn sent(deployed: &Deployed, owner: &User, files: &[File<'_>]) -> Vec<Sent> {
    let mut all = Vec::new();
    for file in files {
        let sent = deployed.send(owner, file).await;
        deployed.outcome_for(owner, sent.id).await;
        all.push(sent);
    }
    all
}

async fn in_graph(deployed: &Deployed, users: &[&User]) {
    let add = |commit: Commit, user: &&User| {
        commit.add_vertex(&user.id, ["person"]).set(&user.id, "name", user.name.as_str())
    };
    deployed.stack.neptune().commit(&users.iter().fold(Commit::new(), add)).await.expect("a commit");
}

fn edge(follower: &User, of: &User) -> String {
    format!("follows-{}-{}", follower.id, of.id)
}

/// All pages of a list; none is empty but where the list is.
async fn all_of(deployed: &Deployed, user: &User, query: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut path = format!("/v1/media?{query}");
    loop {
        let page = deployed.ask(user, Method::GET, &path, None).await;
        assert_eq!(page.status, 200, "{path}: {page:?}");
        let found = page.body["items"].as_array().expect("items");
        items.extend(found.iter().cloned());
        match page.body["next"].as_str() {
            None => return items,
            Some(next) => {
                assert!(!found.is_empty(), "{path}: an empty page, and more follow");
                path = format!("/v1/media?{query}&cursor={next}");
            }
        }
    }
}

fn ids(items: &[Value]) -> Vec<MediaId> {
    items.iter().map(|item| item["id"].as_str().and_then(|id| id.parse().ok()).expect("an id")).collect()
}

async fn sees(deployed: &Deployed, user: &User, id: MediaId) -> bool {
    let answer = deployed.ask(user, Method::GET, &format!("/v1/media/{id}"), None).await;
    match answer.status {
        200 => true,
        404 => {
            assert_eq!(answer.body["type"], "urn:iyagi:problem:not-found");
            assert_eq!((answer.content_type.as_str(), answer.etag), ("application/problem+json", None));
            false
        }
        _ => panic!("{answer:?}"),
    }
}

#[tokio::test]
async fn everybody_may_do_what_the_table_of_rights_says() {
    let deployed = Deployed::get();
    let (owner, follower, blocked, stranger) = (
        deployed.person("Mina").await,
        deployed.person("Jun").await,
        deployed.person("Haneul").await,
        deployed.person("Sora").await,
    );
    let files = VISIBILITIES.map(|visibility| file(visibility, Some("story-1")));
    let sent = sent(&deployed, &owner, &files).await;
    let items: BTreeMap<_, _> = VISIBILITIES.into_iter().zip(sent.into_iter().map(|sent| sent.id)).collect();
    in_graph(&deployed, &[&owner, &follower, &blocked, &stranger]).await;
    let graph = deployed.stack.neptune();
    let mut follows = Commit::new();
    for user in [&follower, &blocked] {
        follows = follows.add_edge(edge(user, &owner), "follows", &user.id, &owner.id);
    }
    graph.commit(&follows).await.expect("a commit");
    for user in [&follower, &blocked] {
        let follows = async || sees(&deployed, user, items["followers"]).await.then_some(());
        eventually(&format!("{} to be known as a follower", user.name), follows).await;
    }
    let blocks = Commit::new().add_edge(format!("blocks-{}", blocked.id), "blocks", &owner.id, &blocked.id);
    graph.commit(&blocks).await.expect("a commit");
    eventually("the block", async || (!sees(&deployed, &blocked, items["followers"]).await).then_some(())).await;

    let rights = rights();
    assert_eq!(rights.len(), 12, "{rights:?}");
    for Right { who, visibility, get, is_listed, is_in_batch, delete } in &rights {
        let user = match who.as_str() {
            "owner" => &owner,
            "follower" => &follower,
            "blocked follower" => &blocked,
            "stranger" => &stranger,
            other => panic!("nobody is {other}"),
        };
        let (id, row) = (items[visibility.as_str()], format!("{who}, {visibility}"));
        let path = format!("/v1/media/{id}");
        let one = deployed.ask(user, Method::GET, &path, None).await;
        assert_eq!(one.status, *get, "{row}");
        // Names of files are their owner's alone.
        assert_eq!(one.body["fileName"].is_string(), who == "owner", "{row}");
        let ids_of_all = json!({"ids": items.values().collect::<Vec<_>>()});
        let batch = deployed.ask(user, Method::POST, "/v1/media/batch", Some(&ids_of_all)).await;
        assert_eq!(ids(batch.body["items"].as_array().expect("items")).contains(&id), *is_in_batch, "{row}, a batch");
        for selection in ["", "&kind=audio", "&post=story-1"] {
            let query = format!("owner={}&order=oldest&limit=1{selection}", owner.id);
            let list = all_of(&deployed, user, &query).await;
            assert_eq!(ids(&list).contains(&id), *is_listed, "{row}, {query}");
            assert!(list.iter().all(|item| item["fileName"].is_string() == (who == "owner")), "{list:?}");
        }
        let deleted = deployed.ask(user, Method::DELETE, &path, None).await;
        assert_eq!(deleted.status, *delete, "{row}");
    }
}

#[tokio::test]
async fn who_follows_no_more_is_a_stranger_again() {
    let deployed = Deployed::get();
    let (mina, jun) = (deployed.person("Mina").await, deployed.person("Jun").await);
    let sent = sent(&deployed, &mina, &[file("followers", None), file("public", None)]).await;
    in_graph(&deployed, &[&mina, &jun]).await;
    let graph = deployed.stack.neptune();
    let follows = Commit::new().add_edge(edge(&jun, &mina), "follows", &jun.id, &mina.id);
    graph.commit(&follows).await.expect("a commit");
    eventually("Jun to be known as a follower", async || sees(&deployed, &jun, sent[0].id).await.then_some(())).await;
    graph.commit(&Commit::new().remove_edge(edge(&jun, &mina))).await.expect("a commit");
    eventually("Jun to be forgotten", async || (!sees(&deployed, &jun, sent[0].id).await).then_some(())).await;
    assert!(sees(&deployed, &jun, sent[1].id).await);
}

#[tokio::test]
async fn lists_have_pages_in_both_orders() {
    let deployed = Deployed::get();
    let (mina, sora) = (deployed.person("Mina").await, deployed.person("Sora").await);
    // Long stretches of what others may not see.
    let visibilities =
        ["private", "private", "public", "private", "followers", "private", "public", "private", "public", "private"];
    let files = visibilities.map(|visibility| file(visibility, None));
    let all: Vec<_> = sent(&deployed, &mina, &files).await.into_iter().map(|sent| sent.id).collect();
    let public: Vec<_> =
        all.iter().zip(visibilities).filter(|(_, visibility)| *visibility == "public").map(|(id, _)| *id).collect();
    let reversed = |ids: &[MediaId]| ids.iter().rev().copied().collect::<Vec<_>>();
    for limit in [1, 2, 3, 100] {
        let own = all_of(&deployed, &mina, &format!("limit={limit}&order=oldest")).await;
        assert_eq!(ids(&own), all, "{limit}");
        let own = all_of(&deployed, &mina, &format!("limit={limit}")).await;
        assert_eq!(ids(&own), reversed(&all), "{limit}");
        let others = all_of(&deployed, &sora, &format!("owner={}&limit={limit}", mina.id)).await;
        assert_eq!(ids(&others), reversed(&public), "{limit}");
        let others =
            all_of(&deployed, &sora, &format!("owner={}&limit={limit}&order=oldest&kind=audio", mina.id)).await;
        assert_eq!(ids(&others), public, "{limit}");
    }
    assert!(all_of(&deployed, &sora, "").await.is_empty());
    assert!(all_of(&deployed, &mina, "kind=photo").await.is_empty());
}

#[tokio::test]
async fn a_cursor_belongs_to_its_caller_and_its_query() {
    let deployed = Deployed::get();
    let (mina, jun) = (deployed.person("Mina").await, deployed.person("Jun").await);
    sent(&deployed, &mina, &[file("public", None), file("public", None), file("public", None)]).await;
    let query = format!("owner={}&limit=1", mina.id);
    let page = deployed.ask(&mina, Method::GET, &format!("/v1/media?{query}"), None).await;
    let next = page.body["next"].as_str().expect("a cursor").to_owned();
    let mut forged = next.clone().into_bytes();
    forged[10] = if forged[10] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).expect("text");
    // Another version: the first byte.
    let version = format!("Ag{}", &next[2..]);
    for (user, query, cursor) in [
        (&jun, query.clone(), &next),
        (&mina, format!("owner={}&limit=1", jun.id), &next),
        (&mina, format!("{query}&order=oldest"), &next),
        (&mina, format!("{query}&kind=audio"), &next),
        (&mina, query.clone(), &forged),
        (&mina, query.clone(), &version),
        (&mina, query.clone(), &"x".to_owned()),
    ] {
        let answer = deployed.ask(user, Method::GET, &format!("/v1/media?{query}&cursor={cursor}"), None).await;
        assert_eq!(
            (answer.status, &answer.body["type"], answer.content_type.as_str()),
            (400, &json!("urn:iyagi:problem:invalid-cursor"), "application/problem+json"),
            "{query}"
        );
    }
    // Another number of items, or other fields, are the same list.
    let path = format!("/v1/media?owner={}&limit=5&fields=state&cursor={next}", mina.id);
    let rest = deployed.ask(&mina, Method::GET, &path, None).await;
    assert_eq!(rest.body["items"].as_array().map(Vec::len), Some(2), "{rest:?}");
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let deployed = Deployed::get();
    let (mina, jun) = (deployed.person("Mina").await, deployed.person("Jun").await);
    let sent = sent(&deployed, &mina, &[file("public", None)]).await.remove(0);
    for path in [format!("/v1/media/{}", sent.id), format!("/v1/media?owner={}", mina.id)] {
        let first = deployed.ask(&jun, Method::GET, &path, None).await;
        let tag = first.etag.expect("a tag");
        let again = deployed.ask_with(&jun, Method::GET, &path, &[("if-none-match", &tag)], None).await;
        assert_eq!((again.status, again.body, again.etag.as_deref()), (304, Value::Null, Some(tag.as_str())), "{path}");
        let other = deployed.ask_with(&mina, Method::GET, &path, &[("if-none-match", &tag)], None).await;
        assert_eq!(other.status, 200, "the owner sees more: {path}");
    }
}

#[tokio::test]
async fn a_client_gets_the_fields_that_it_wants() {
    let deployed = Deployed::get();
    let mina = deployed.person("Mina").await;
    let file = File {
        kind: Kind::Photo,
        name: "a.jpg",
        content_type: "image/jpeg",
        bytes: photograph("고양이.jpg"),
        visibility: "public",
        post: None,
    };
    let id = sent(&deployed, &mina, &[file]).await[0].id;
    let get =
        async |query: &str| deployed.ask(&mina, Method::GET, &format!("/v1/media/{id}?fields={query}"), None).await;
    assert_eq!(get("state,width").await.body, json!({"id": id, "state": "ready", "width": 451}));
    assert_eq!(get("state,kind").await.body, json!({"id": id, "state": "ready", "kind": "photo"}));
    assert_eq!(get("variants").await.body["variants"].as_array().map(Vec::len), Some(4));
    for query in ["", "key", "position", "state,,kind"] {
        assert_eq!(get(query).await.status, 400, "{query}");
    }
    let list = all_of(&deployed, &mina, "fields=bytes").await;
    assert_eq!(list, [json!({"id": id, "bytes": 34_306})]);
}

#[tokio::test]
async fn a_batch_keeps_its_order_and_has_bounds() {
    let deployed = Deployed::get();
    let mina = deployed.person("Mina").await;
    let sent = sent(&deployed, &mina, &[file("public", None), file("public", None)]).await;
    let (first, second) = (sent[0].id, sent[1].id);
    let absent = MediaId::of_key("photo/nobody/nothing");
    let ask = async |body: Value| deployed.ask(&mina, Method::POST, "/v1/media/batch", Some(&body)).await;
    let answer = ask(json!({"ids": [second, absent, first, second]})).await;
    assert_eq!(ids(answer.body["items"].as_array().expect("items")), [second, first]);
    let many: Vec<_> = (0..101).map(|number| MediaId::of_key(&format!("photo/nobody/{number}"))).collect();
    assert_eq!(ask(json!({"ids": many[..100]})).await.body, json!({"items": []}));
    for body in [
        json!({"ids": many}),
        json!({"ids": []}),
        json!({"ids": ["../x"]}),
        json!({"ids": [first], "owner": "x"}),
        json!({"ids": "x"}),
        json!([]),
    ] {
        let answer = ask(body.clone()).await;
        assert_eq!((answer.status, &answer.body["type"]), (400, &json!("urn:iyagi:problem:invalid-request")), "{body}");
    }
}

#[tokio::test]
async fn only_its_owner_deletes_an_item_and_then_it_is_gone() {
    let deployed = Deployed::get();
    let (mina, jun) = (deployed.person("Mina").await, deployed.person("Jun").await);
    let sent = sent(&deployed, &mina, &[file("public", None), file("private", None)]).await;
    for Sent { id, .. } in &sent {
        let path = format!("/v1/media/{id}");
        let refused = deployed.ask(&jun, Method::DELETE, &path, None).await;
        assert_eq!((refused.status, &refused.body["type"]), (404, &json!("urn:iyagi:problem:not-found")));
        assert_eq!(deployed.ask(&mina, Method::DELETE, &path, None).await.status, 204);
        eventually("the deletion", async || (!sees(&deployed, &mina, *id).await).then_some(())).await;
        assert_eq!(deployed.ask(&mina, Method::DELETE, &path, None).await.status, 404);
    }
    eventually("an empty list", async || all_of(&deployed, &mina, "").await.is_empty().then_some(())).await;
    let prefix = format!("audio/{}/", mina.id);
    let originals = deployed.aws.list_objects(deployed.output("OriginalsBucketName"), &prefix).await;
    assert!(originals.expect("a list").is_empty());
}

#[tokio::test]
async fn every_route_wants_an_access_token() {
    let deployed = Deployed::get();
    let mina = deployed.person("Mina").await;
    let nobody = MediaId::of_key("photo/nobody/nothing");
    let routes = [
        (Method::GET, format!("/v1/media/{nobody}")),
        (Method::DELETE, format!("/v1/media/{nobody}")),
        (Method::GET, "/v1/media".to_owned()),
        (Method::POST, "/v1/media/batch".to_owned()),
        (Method::POST, "/v1/uploads".to_owned()),
        (Method::POST, format!("/v1/uploads/{nobody}/parts")),
        (Method::POST, format!("/v1/uploads/{nobody}/complete")),
    ];
    let mut forged = mina.access_token.clone();
    forged.pop();
    let tokens = BTreeMap::from([("none", ""), ("an ID token", &mina.id_token), ("a forged one", &forged)]);
    for (method, path) in &routes {
        for (what, token) in &tokens {
            let user = User { access_token: (*token).to_owned(), ..mina.clone() };
            let answer = deployed.ask(&user, method.clone(), path, Some(&json!({}))).await;
            assert!(matches!(answer.status, 401 | 403), "{what}, {method} {path}: {answer:?}");
        }
        // With one, it is the function that answers.
        let answer = deployed.ask(&mina, method.clone(), path, Some(&json!({}))).await;
        assert!(!matches!(answer.status, 401 | 403), "{method} {path}: {answer:?}");
    }
}

#[tokio::test]
async fn web_clients_of_known_origins_may_ask() {
    let deployed = Deployed::get();
    let http = reqwest::Client::new();
    let url = deployed.stack.api("/v1/uploads").expect("an address");
    let preflight = async |origin: &str| {
        let request = http.request(Method::OPTIONS, &url).header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        let request = request.header("access-control-request-headers", "authorization,content-type,idempotency-key");
        let answer = request.send().await.expect("an answer");
        let text = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        ["allow-origin", "allow-methods", "allow-headers"].map(|name| text(&format!("access-control-{name}")))
    };
    let page = deployed.stack.docs();
    let [origin, methods, headers] = preflight(page).await.map(Option::unwrap_or_default);
    assert_eq!(origin, page);
    assert!(["GET", "POST", "PUT", "DELETE"].iter().all(|method| methods.contains(method)), "{methods}");
    assert!(
        ["authorization", "content-type", "idempotency-key"].iter().all(|name| headers.contains(name)),
        "{headers}"
    );
    assert_eq!(preflight("https://elsewhere.example").await[0], None);

    // Answers, too, are for those origins to read, with what clients need of their headers.
    let mina = deployed.person("Mina").await;
    let answer = mina.send(&deployed.stack, Method::GET, "/v1/media", &[("origin", page)], None).await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.headers["access-control-allow-origin"], page);
    let exposed = answer.headers["access-control-expose-headers"].to_str().expect("text").to_lowercase();
    assert!(["etag", "ratelimit", "retry-after"].iter().all(|name| exposed.contains(name)), "{exposed}");
    assert!(answer.headers.contains_key("ratelimit-policy"), "{:?}", answer.headers);
}

#[tokio::test]
async fn the_page_to_try_it_signs_people_up_and_in() {
    let deployed = Deployed::get();
    let http = reqwest::Client::new();
    let page = deployed.stack.docs();
    let get = async |path: &str| {
        let answer = http.get(format!("{page}{path}")).send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    };
    let (status, html) = get("/docs").await;
    assert!(status == 200 && html.contains("SwaggerUIBundle"), "{status} {html}");
    assert_eq!(get("/docs/swagger-ui-bundle.js").await.0, 200);
    assert_eq!(get("/docs/nothing.js").await.0, 404);
    assert!(get("/docs/api.json").await.1.contains(&deployed.stack.api("").expect("an address")));

    let credentials =
        json!({"email": format!("{}@iyagi.example", uuid::Uuid::new_v4().simple()), "password": "Abcdef123456"});
    let enter = async |how: &str| {
        let request = http.post(format!("{page}/docs/{how}")).header("content-type", "application/json");
        let answer = request.body(credentials.to_string()).send().await.expect("an answer");
        (answer.status().as_u16(), serde_json::from_slice::<Value>(&answer.bytes().await.expect("a body")).ok())
    };
    assert_eq!(enter("sign-in").await.0, 502, "nobody has this account yet");
    let (_, new) = enter("sign-up").await;
    let (status, known) = enter("sign-in").await;
    let (new, known) = (new.expect("an account"), known.expect("an account"));
    assert_eq!((status, &new["sub"]), (200, &known["sub"]));
    let user = User {
        id: known["sub"].as_str().expect("a sub").to_owned(),
        name: "visitor".into(),
        access_token: known["accessToken"].as_str().expect("a token").to_owned(),
        id_token: String::new(),
    };
    assert_eq!(deployed.ask(&user, Method::GET, "/v1/media", None).await.body, json!({"items": []}));
}

#[tokio::test]
async fn everybody_gets_the_document_and_may_keep_it() {
    let deployed = Deployed::get();
    let url = deployed.stack.api("/v1/openapi.json").expect("a URL");
    let http = reqwest::Client::new();
    let answer = http.get(&url).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    assert_eq!(header("content-type").as_deref(), Some("application/json"));
    assert_eq!(header("cache-control").as_deref(), Some("public, max-age=300"));
    let tag = header("etag").expect("a tag");
    let written = fs::read(local::openapi::path()).expect("the document");
    assert!(answer.bytes().await.expect("a body") == written, "another document is deployed");
    let again = http.get(&url).header("if-none-match", tag).send().await.expect("an answer");
    assert_eq!(again.status(), 304);
}

#[tokio::test]
async fn what_the_document_does_not_name_is_refused() {
    let deployed = Deployed::get();
    let mina = deployed.person("Mina").await;
    let nobody = MediaId::of_key("photo/nobody/nothing");
    let batch = json!({"ids": [nobody]});
    for (method, path, body) in [
        (Method::GET, "/v1/media?sort=newest".to_owned(), None),
        (Method::GET, format!("/v1/media/{nobody}?view=all"), None),
        (Method::DELETE, format!("/v1/media/{nobody}?force=true"), None),
        (Method::POST, "/v1/media/batch?fields=id".to_owned(), Some(&batch)),
        (Method::POST, "/v1/media/batch".to_owned(), Some(&json!({"ids": [nobody], "fields": null}))),
        (Method::POST, "/v1/media/batch".to_owned(), Some(&json!([[nobody]]))),
    ] {
        let answer = deployed.ask(&mina, method.clone(), &path, body).await;
        let refused = (400, &json!("urn:iyagi:problem:invalid-request"));
        assert_eq!((answer.status, &answer.body["type"]), refused, "{method} {path}");
    }
}

#[tokio::test]
async fn tricks_with_paths_lead_nowhere() {
    let deployed = Deployed::get();
    let mina = deployed.person("Mina").await;
    let long = "A".repeat(2_000);
    for path in [
        "/v1/media/%2e%2e%2fopenapi.json",
        "/v1/media/..%2f..%2fetc%2fpasswd",
        "/v1/media/%00",
        "/v1/media/%ED%A0%80",
        "/v1/media/01ARZ3NDEKTSV4RRFFQ69G5FA",
        "/v1/media/01arz3ndektsv4rrffq69g5fav%20",
        "/v1/media/*",
        long.as_str(),
    ] {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/v1/media/{path}") };
        let answer = deployed.ask(&mina, Method::GET, &path, None).await;
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        // An encoded slash makes a path that no route has: then it is the gateway that answers.
        if !path.contains("%2f") {
            let problem = ("application/problem+json", &json!("urn:iyagi:problem:not-found"));
            assert_eq!((answer.content_type.as_str(), &answer.body["type"]), problem, "{path}");
        }
    }
}

#[tokio::test]
async fn bodies_that_are_not_what_is_wanted_are_refused_alike_everywhere() {
    let deployed = Deployed::get();
    let mina = deployed.person("Mina").await;
    let http = reqwest::Client::new();
    let id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    let routes = [
        (Method::POST, "/v1/media/batch".to_owned()),
        (Method::POST, "/v1/uploads".to_owned()),
        (Method::POST, format!("/v1/uploads/{id}/parts")),
        (Method::POST, format!("/v1/uploads/{id}/complete")),
        (Method::PUT, "/v1/devices/phone".to_owned()),
        (Method::PUT, "/v1/notification-preferences".to_owned()),
    ];
    let huge = format!("{{\"x\": \"{}\"}}", "x".repeat(100_000));
    let bodies: [(&[u8], u16, &str); 8] = [
        (b"", 400, "urn:iyagi:problem:invalid-request"),
        (b"{", 400, "urn:iyagi:problem:invalid-request"),
        (b"[]", 400, "urn:iyagi:problem:invalid-request"),
        (b"null", 400, "urn:iyagi:problem:invalid-request"),
        (b"\"text\"", 400, "urn:iyagi:problem:invalid-request"),
        (b"{\"unknown\": 1}", 400, "urn:iyagi:problem:invalid-request"),
        (b"\xff\xfe\x00", 400, "urn:iyagi:problem:invalid-request"),
        (huge.as_bytes(), 413, "urn:iyagi:problem:too-large"),
    ];
    for (method, path) in &routes {
        for (body, status, problem) in bodies {
            let request = http.request(method.clone(), deployed.stack.api(path).expect("an address"));
            let request = request.header("authorization", format!("Bearer {}", mina.access_token));
            let answer = request.header("content-type", "application/json").body(body.to_vec()).send().await;
            let answer = answer.expect("an answer");
            let got = (answer.status().as_u16(), answer.headers()["content-type"].to_str().expect("text").to_owned());
            let what: Value = serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON");
            let row = format!("{method} {path} {:?}", String::from_utf8_lossy(&body[..body.len().min(20)]));
            assert_eq!(got, (status, "application/problem+json".to_owned()), "{row}: {what}");
            assert_eq!(what["type"], problem, "{row}");
        }
    }
}
