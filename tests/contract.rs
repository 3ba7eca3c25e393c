//! Each binary alone, as built for AWS: events in, answers out, by the Lambda Runtime API.
//!
//! The same files serve `sam local invoke <Function> -e tests/events/<file>.json`.

mod support;

use domain::media::{Declared, Derivatives, Intent, Kind, MediaId, Original, Outcome, Picture, Report, Sequencer};
use local::{
    functions,
    runtime_api::{Answer, Function},
};
use serde_json::{Value, json};
use support::{
    bombs, event, http_answer, messages,
    world::{World, all_done, start},
};

/// What `MemorySize` in the template grants the thumbnailer, in bytes.
const THUMBNAILER_MEMORY: u64 = 1769 * 1024 * 1024;

/// The photograph that the events tell of.
const KEY: &str = "photo/mina/고양이.jpg";

async fn store_photograph(world: &World) {
    world.aws.put_object("originals", KEY, "image/jpeg", support::photograph("고양이.jpg")).await.expect("stored");
}

fn report() -> Report {
    let derived = Derivatives::Picture(Picture {
        width: 451,
        height: 300,
        thumb_hash: "AA==".into(),
        dominant_colour: "#102030".into(),
        variants: vec![],
    });
    let original = Original {
        id: MediaId::of_key(KEY),
        key: KEY.into(),
        kind: Kind::Photo,
        owner: "mina".into(),
        size: 34_306,
        uploaded_at: "2026-11-22T03:04:05.678Z".parse().expect("a time"),
        sequencer: Sequencer::parse("0055AED6DCD90281E5").expect("a sequencer"),
        declared: Declared { content_type: Some("image/jpeg".into()), intent: Intent::default() },
    };
    Report { original, outcome: Outcome::Ready(derived) }
}

#[tokio::test]
async fn thumbnailer_makes_variants_and_reports() {
    let world = World::new("thumbnailer").await;
    store_photograph(&world).await;
    let mut thumbnailer = world.start("Thumbnailer").await;
    for _ in 0..2 {
        assert_eq!(thumbnailer.invoke(&event("photo-landed")).await.expect("an answer"), all_done());
        // 451 × 300: there is no 1080, and two sizes as two types; the second time changes nothing.
        assert_eq!(world.derived(KEY).await.len(), 4);
        let reports = messages(&world.aws, &world.metadata_queue, 1).await;
        let report: Report = serde_json::from_str(&reports[0]).expect("a report");
        assert_eq!(report.original, self::report().original);
        let Outcome::Ready(Derivatives::Picture(picture)) = report.outcome else { panic!("not ready") };
        assert_eq!((picture.width, picture.height), (451, 300));
    }
    assert_eq!(thumbnailer.invoke(&event("photo-removed")).await.expect("an answer"), all_done());
    assert!(world.derived(KEY).await.is_empty());
}

#[tokio::test]
async fn thumbnailer_keeps_poison_apart() {
    let world = World::new("poison").await;
    store_photograph(&world).await;
    let mut thumbnailer = world.start("Thumbnailer").await;
    assert_eq!(thumbnailer.invoke(&event("batch-with-poison")).await.expect("an answer"), all_done());
    // Four messages: no JSON, an object that has gone, S3's test, and a good one.
    assert_eq!(messages(&world.aws, &world.dead_letters, 1).await, ["this is not JSON"]);
    assert_eq!(messages(&world.aws, &world.metadata_queue, 1).await.len(), 1);
    assert_eq!(world.derived(KEY).await.len(), 4);
}

#[tokio::test]
async fn thumbnailer_gives_back_what_it_cannot_do_now() {
    // Nobody listens there: AWS is out of reach.
    let mut thumbnailer =
        start("Thumbnailer", "http://127.0.0.1:9", "http://127.0.0.1:9/q", "http://127.0.0.1:9/d", "E1").await;
    let Answer::Response(answer) = thumbnailer.invoke(&event("batch-with-poison")).await.expect("an answer") else {
        panic!("the invocation failed");
    };
    let failures = answer["batchItemFailures"].as_array().expect("failures");
    let failed: Vec<_> = failures.iter().map(|failure| failure["itemIdentifier"].as_str().expect("an id")).collect();
    // All but the third, S3's test, for which there is nothing to do.
    assert_eq!(failed, ["01", "02", "04"].map(|number| format!("19dd0b57-b21e-4ac1-bd88-01bbb068cb{number}")));
}

#[tokio::test]
async fn thumbnailer_stays_within_its_memory() {
    let world = World::new("memory").await;
    let mut thumbnailer = world.start("Thumbnailer").await;
    for (name, bytes) in bombs() {
        let key = format!("photo/mina/{name}");
        let landed = support::landed(&world.aws, "originals", &key, bytes).await;
        assert_eq!(thumbnailer.invoke(&landed).await.expect("an answer"), all_done());
        let reports = messages(&world.aws, &world.metadata_queue, 1).await;
        let report: Report = serde_json::from_str(&reports[0]).expect("a report");
        assert!(matches!(report.outcome, Outcome::Failed { .. }), "{name}: {report:?}");
        let peak = thumbnailer.peak_memory().expect("a figure");
        assert!(peak < THUMBNAILER_MEMORY / 4, "{name} took {} MiB", peak / 1024 / 1024);
    }
}

#[tokio::test]
async fn thumbnailer_decodes_the_largest_picture_within_its_memory() {
    let world = World::new("largest").await;
    let mut thumbnailer = world.start("Thumbnailer").await;
    // 8,000 × 8,000 pixels, the cap; PNG is decoded whole, with an alpha channel it is largest.
    let landed = support::landed(&world.aws, "originals", KEY, support::large_png(8_000)).await;
    assert_eq!(thumbnailer.invoke(&landed).await.expect("an answer"), all_done());
    let reports = messages(&world.aws, &world.metadata_queue, 1).await;
    let report: Report = serde_json::from_str(&reports[0]).expect("a report");
    assert!(matches!(report.outcome, Outcome::Ready(_)), "{report:?}");
    let peak = thumbnailer.peak_memory().expect("a figure");
    assert!(peak < THUMBNAILER_MEMORY, "took {} MiB", peak / 1024 / 1024);
}

#[tokio::test]
async fn metadata_writer_folds_news_in_any_order() {
    let world = World::new("writer").await;
    store_photograph(&world).await;
    let mut writer = world.start("MetadataWriter").await;
    let ready = messages_event(&[&serde_json::to_string(&report()).expect("JSON")]);
    for event in [&ready, &event("photo-landed"), &ready, &event("photo-landed")] {
        assert_eq!(writer.invoke(event).await.expect("an answer"), all_done());
        assert_eq!(state(&world).await, ["ready"]);
    }
    for event in [&event("photo-removed"), &ready, &event("photo-landed")] {
        assert_eq!(writer.invoke(event).await.expect("an answer"), all_done());
        assert_eq!(state(&world).await, ["deleted"]);
    }
    assert!(world.rows().await[0]["expires_at"]["N"].is_string(), "a tombstone without an end");
}

#[tokio::test]
async fn metadata_writer_keeps_poison_apart() {
    let world = World::new("writer-poison").await;
    store_photograph(&world).await;
    let mut writer = world.start("MetadataWriter").await;
    assert_eq!(writer.invoke(&event("batch-with-poison")).await.expect("an answer"), all_done());
    assert_eq!(messages(&world.aws, &world.dead_letters, 1).await, ["this is not JSON"]);
    // Of an object that has gone nothing is known but that its deletion will be told of.
    assert_eq!(state(&world).await, ["processing"]);
}

#[tokio::test]
async fn media_api_answers() {
    let world = World::new("api").await;
    store_photograph(&world).await;
    let mut api = world.start("MediaApi").await;
    let (status, problem) = http_answer(api.invoke(&event("get-media-item")).await.expect("an answer"));
    assert_eq!((status, &problem["type"]), (404, &json!("urn:iyagi:problem:not-found")));
    let (status, empty) = http_answer(api.invoke(&event("list-media")).await.expect("an answer"));
    assert_eq!((status, empty), (200, json!({"items": []})));

    let mut writer = world.start("MetadataWriter").await;
    writer.invoke(&event("photo-landed")).await.expect("an answer");
    let (status, item) = http_answer(api.invoke(&event("get-media-item")).await.expect("an answer"));
    let expected = json!({
        "id": MediaId::of_key(KEY), "kind": "photo", "owner": "mina", "uploadedAt": "2026-11-22T03:04:05.678Z",
        "contentType": "image/jpeg", "bytes": 34_306, "visibility": "public", "state": "processing"
    });
    assert_eq!((status, &item), (200, &expected));
    let (status, list) = http_answer(api.invoke(&event("list-media")).await.expect("an answer"));
    assert_eq!((status, list), (200, json!({"items": [expected]})));
}

#[tokio::test]
async fn media_api_says_when_it_cannot_answer() {
    let mut api = start("MediaApi", "http://127.0.0.1:9", "http://127.0.0.1:9/q", "http://127.0.0.1:9/d", "E1").await;
    let (status, problem) = http_answer(api.invoke(&event("get-media-item")).await.expect("an answer"));
    assert_eq!((status, &problem["type"]), (503, &json!("urn:iyagi:problem:unavailable")));
}

#[tokio::test]
async fn media_api_tells_who_asks_too_often_when_to_come_again() {
    let world = World::new("quota").await;
    let mut api = world.start("MediaApi").await;
    let mut asked = 0;
    let refusal = loop {
        let Answer::Response(answer) = api.invoke(&event("list-media")).await.expect("an answer") else {
            panic!("the invocation failed")
        };
        asked += 1;
        assert_eq!(answer["headers"]["ratelimit-policy"], "\"caller\";q=20;w=20");
        if answer["statusCode"] != 200 {
            break answer;
        }
        assert!(asked < 500, "nobody is ever refused");
    };
    assert!(asked > 20, "refused after {asked}");
    assert_eq!(
        (&refusal["headers"]["retry-after"], &refusal["headers"]["ratelimit"]),
        (&json!("1"), &json!("\"caller\";r=0;t=20"))
    );
    let (status, problem) = http_answer(Answer::Response(refusal));
    assert_eq!((status, &problem["type"]), (429, &json!("urn:iyagi:problem:too-many-requests")));
}

#[tokio::test]
async fn what_upload_api_signs_lands_as_it_was_declared() {
    let world = World::new("upload").await;
    let mut api = world.start("UploadApi").await;
    let (status, upload) = http_answer(api.invoke(&event("start-upload")).await.expect("an answer"));
    assert_eq!((status, &upload["way"]), (201, &json!("put")), "{upload}");
    let bytes = support::photograph("고양이.jpg");
    let stored = local::uploads::put(&upload, bytes.clone()).await.expect("an answer");
    assert_eq!(stored, 200);

    let key = format!("photo/mina/{}", upload["id"].as_str().expect("an id"));
    let etag = world.aws.etag("originals", &key).await.expect("an ETag");
    let landed = support::s3_notification("ObjectCreated:Put", &key, "0A", bytes.len(), &etag);
    let mut writer = world.start("MetadataWriter").await;
    assert_eq!(writer.invoke(&messages_event(&[&landed])).await.expect("an answer"), all_done());
    let rows = world.rows().await;
    let text = |name: &str| rows[0][name]["S"].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        ["id", "visibility", "post", "file_name", "content_type", "post_for_owner", "post_for_anyone"].map(text),
        [
            upload["mediaId"].as_str().expect("an id"),
            "private",
            "story-1",
            "고양이.jpg",
            "image/jpeg",
            "story-1#mina",
            ""
        ]
    );
}

#[tokio::test]
async fn a_function_without_its_settings_does_not_start() {
    let mut thumbnailer = Function::start(&functions::bootstrap("Thumbnailer"), &[]).await.expect("a process");
    let ended = thumbnailer.invoke(&event("photo-landed")).await;
    assert!(ended.is_err(), "{ended:?}");
}

fn messages_event(bodies: &[&str]) -> Value {
    let records =
        bodies.iter().enumerate().map(|(index, body)| json!({"messageId": format!("m{index}"), "body": body}));
    json!({"Records": records.collect::<Vec<_>>()})
}

async fn state(world: &World) -> Vec<String> {
    let rows = world.rows().await;
    rows.iter().map(|row| row["state"]["S"].as_str().expect("a state").to_owned()).collect()
}
