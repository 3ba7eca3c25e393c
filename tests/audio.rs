//! The path of sound through the deployed stack: `template.yaml` as it is, IAM enforced.

mod support;

use std::{io::Cursor, time::Duration};

use domain::media::{Kind, MediaId};
use http::Method;
use local::{uploads::File, users::User};
use reqwest::header;
use serde_json::{Value, json};
use sound::{Limits, analyse};
use support::{
    Deployed, eventually, eventually_within,
    recordings::{PLACE, TITLE, bomb, located, recording, refused, three_hours, voice, wav},
};

/// How long three hours may take to be prepared, on a machine that does other things, too.
const LONG: Duration = Duration::from_secs(600);

/// Waveform (JSON and binary), M4A, Opus.
const FILES: usize = 4;

fn story<'a>(name: &'a str, content_type: &'a str, bytes: Vec<u8>, visibility: &'a str) -> File<'a> {
    File { kind: Kind::Audio, name, content_type, bytes, visibility, post: Some("story-1") }
}

fn url(file: &Value) -> &str {
    file["url"].as_str().expect("a URL")
}

/// All files that an item shows: renditions, then waveforms.
fn files(item: &Value) -> Vec<Value> {
    let renditions = item["renditions"].as_array().expect("renditions");
    renditions.iter().chain(item["waveform"]["files"].as_array().expect("files")).cloned().collect()
}

/// The states in which `user` sees an item, one after the other, until the last.
async fn states(deployed: &Deployed, user: &User, id: MediaId) -> Vec<Value> {
    let mut states = Vec::new();
    eventually("an outcome", async || {
        let answer = deployed.ask(user, Method::GET, &format!("/v1/media/{id}"), None).await;
        let state = answer.body["state"].clone();
        if answer.status == 200 && states.last() != Some(&state) {
            states.push(state.clone());
        }
        matches!(state.as_str(), Some("ready" | "failed")).then_some(())
    })
    .await;
    states
}

#[tokio::test]
async fn a_story_is_heard_by_who_may_and_gone_when_it_is_deleted() {
    let deployed = Deployed::get();
    let mina = deployed.person("Mina").await;
    for visibility in ["public", "private"] {
        let sent = deployed.send(&mina, &story("이야기.m4a", "audio/mp4", located(), visibility)).await;
        let states = states(&deployed, &mina, sent.id).await;
        assert!(states == ["processing", "ready"] || states == ["ready"], "{states:?}");
        let item = deployed.outcome_for(&mina, sent.id).await;
        assert_eq!((&item["state"], &item["codec"], &item["channels"]), (&json!("ready"), &json!("aac_lc"), &json!(1)));
        assert!((1_990..=2_010).contains(&item["durationMs"].as_u64().expect("a duration")), "{item}");
        assert!(item["loudness"]["integratedLufs"].is_f64() && item["loudness"]["gainDb"].is_number(), "{item}");
        assert!(item["waveform"]["preview"].as_str().is_some_and(|preview| preview.len() > 50), "{item}");

        let files = files(&item);
        assert_eq!(files.len(), FILES);
        for file in &files {
            let link = url(file);
            assert_eq!(link.contains("?Policy="), visibility == "private", "{link}");
            let (status, content_type, bytes) = deployed.fetch(link).await;
            let kind = file["type"].as_str().and_then(|kind| kind.split(';').next()).expect("a type");
            assert_eq!(
                (status, content_type.as_str(), json!(bytes.len())),
                (200, kind, file["bytes"].clone()),
                "{link}"
            );
            for tag in [PLACE, TITLE] {
                assert!(!bytes.windows(tag.len()).any(|window| window == tag.as_bytes()), "{link} says {tag}");
            }
        }
        for rendition in item["renditions"].as_array().expect("renditions") {
            let (_, _, bytes) = deployed.fetch(url(rendition)).await;
            let measured = analyse(Cursor::new(&bytes), &Limits::default()).expect("a rendition");
            let lufs = measured.loudness.integrated_lufs.expect("a loudness");
            assert!((lufs + 19.0).abs() < 1.0 && measured.channels == 1, "{lufs} LUFS");
            // Players jump about.
            let part = reqwest::Client::new().get(url(rendition)).header(header::RANGE, "bytes=100-199").send().await;
            let part = part.expect("an answer");
            let range = format!("bytes 100-199/{}", bytes.len());
            assert_eq!(part.status(), 206);
            assert_eq!(part.headers()["content-range"], range.as_str());
            assert_eq!(part.bytes().await.expect("a part"), &bytes[100..200]);
        }
        let (_, _, waveform) = deployed.fetch(url(&files[2])).await;
        let waveform: Value = serde_json::from_slice(&waveform).expect("JSON");
        assert_eq!((&waveform["version"], &waveform["channels"]), (&json!(2), &json!(1)));

        let path = format!("/v1/media/{}", sent.id);
        assert_eq!(deployed.ask(&mina, Method::DELETE, &path, None).await.status, 204);
        eventually("all of it to go", async || deployed.variants(sent.id).await.is_empty().then_some(())).await;
        eventually("the item to go", async || {
            (deployed.ask(&mina, Method::GET, &path, None).await.status == 404).then_some(())
        })
        .await;
        for file in &files {
            eventually("the edge to refuse", async || (deployed.fetch(url(file)).await.0 >= 400).then_some(())).await;
        }
    }
}

#[tokio::test]
async fn only_what_is_asked_for_is_told() {
    let deployed = Deployed::get();
    let mina = deployed.person("Mina").await;
    let sent = deployed.send(&mina, &story("a.wav", "audio/wav", voice(1.0), "public")).await;
    deployed.outcome_for(&mina, sent.id).await;
    let ask = async |fields: &str| {
        deployed.ask(&mina, Method::GET, &format!("/v1/media/{}?fields={fields}", sent.id), None).await.body
    };
    assert_eq!(ask("durationMs,state").await, json!({"id": sent.id, "durationMs": 1_000, "state": "ready"}));
    let renditions = ask("renditions").await;
    assert_eq!(renditions["renditions"].as_array().map(Vec::len), Some(2), "{renditions}");
    let list = deployed.ask(&mina, Method::GET, "/v1/media?kind=audio&post=story-1", None).await;
    assert_eq!(list.status, 400, "one selection at a time");
    let list = deployed.ask(&mina, Method::GET, "/v1/media?kind=audio", None).await;
    assert_eq!(list.body["items"][0]["durationMs"], 1_000, "{list:?}");
}

#[tokio::test]
async fn what_is_overwritten_is_prepared_anew_and_the_old_is_gone() {
    let deployed = Deployed::get();
    let key = "audio/overwritten/a.wav";
    let id = deployed.upload(key, "audio/wav", voice(1.0)).await;
    let first = deployed.outcome(id).await;
    assert_eq!(first["durationMs"], 1_000, "{first}");
    deployed.upload(key, "audio/wav", voice(2.0)).await;
    let second =
        eventually("the new story", async || deployed.item(id).await.filter(|item| item["durationMs"] == 2_000)).await;
    eventually("the old files to go", async || (deployed.variants(id).await.len() == FILES).then_some(())).await;
    let left = deployed.variants(id).await;
    for file in files(&second) {
        assert!(left.iter().any(|key| url(&file).contains(key)), "{file}");
    }
    for file in files(&first) {
        eventually("the edge to refuse", async || (deployed.fetch(url(&file)).await.0 >= 400).then_some(())).await;
    }
    // What replaces it is none: nothing of the old may be heard.
    deployed.upload(key, "audio/wav", b"no story".to_vec()).await;
    let failed =
        eventually("the failure", async || deployed.item(id).await.filter(|item| item["state"] == "failed")).await;
    assert_eq!(failed["reason"], "unsupported_format");
    eventually("all files to go", async || deployed.variants(id).await.is_empty().then_some(())).await;
}

#[tokio::test]
async fn what_phones_record_is_heard() {
    let deployed = Deployed::get();
    let mina = deployed.person("Mina").await;
    for (name, content_type, codec) in [
        ("voice.amr", "audio/amr", "amr_nb"),
        ("voice.3gp", "audio/3gpp", "amr_nb"),
        ("webm.webm", "audio/webm", "opus"),
        ("aac-24k.aac", "audio/aac", "aac_lc"),
        ("voice.mp3", "audio/mpeg", "mp3"),
        ("voice.flac", "audio/flac", "flac"),
        ("vorbis.ogg", "audio/ogg", "vorbis"),
        // A video with sound, and a wrong name: what it is, its content says.
        ("video.mp4", "audio/mp4", "aac_lc"),
        ("surround.flac", "audio/mpeg", "flac"),
    ] {
        let sent = deployed.send(&mina, &story(name, content_type, recording(name), "followers")).await;
        let item = deployed.outcome_for(&mina, sent.id).await;
        assert_eq!((&item["state"], &item["codec"]), (&json!("ready"), &json!(codec)), "{name}: {item}");
        assert_eq!(files(&item).len(), FILES, "{name}");
    }
}

#[tokio::test]
async fn what_is_unusual_is_heard_all_the_same() {
    let deployed = Deployed::get();
    let tone = |t: f64| 0.1 * (t * 6_000.0).sin();
    let mut too_long = wav(8_000, 1, 1.0, tone);
    // It claims 1.5 s, and holds 1.
    too_long[40..44].copy_from_slice(&24_000_u32.to_le_bytes());
    let mut samples = Vec::new();
    for (name, bytes, channels, rate_hz, milliseconds) in [
        ("eight.wav", wav(48_000, 8, 1.0, tone), 8, 48_000, 1_000),
        ("192.wav", wav(192_000, 2, 1.0, tone), 2, 192_000, 1_000),
        ("both.wav", wav(192_000, 8, 1.0, tone), 8, 192_000, 1_000),
        ("silence.wav", wav(44_100, 2, 1.0, |_| 0.0), 2, 44_100, 1_000),
        ("dc.wav", wav(44_100, 1, 1.0, |_| 0.5), 1, 44_100, 1_000),
        ("one.wav", wav(44_100, 1, 1.0 / 44_100.0, |_| 0.5), 1, 44_100, 0),
        ("behind.m4a", recording("aac-index-last.m4a"), 1, 44_100, 2_000),
    ] {
        let id = deployed.upload(&format!("audio/unusual/{name}"), "audio/wav", bytes).await;
        samples.push((name, id, channels, rate_hz, milliseconds));
    }
    for (name, id, channels, rate_hz, milliseconds) in samples {
        let item = deployed.outcome(id).await;
        assert_eq!(
            (&item["state"], &item["channels"], &item["sampleRate"]),
            (&json!("ready"), &json!(channels), &json!(rate_hz)),
            "{name}: {item}"
        );
        let told = item["durationMs"].as_i64().expect("a duration");
        assert!((told - milliseconds).abs() <= 10, "{name}: {told} ms");
        for rendition in item["renditions"].as_array().expect("renditions") {
            assert_eq!(rendition["channels"], json!(channels.min(2)), "{name}");
            assert!(rendition["sampleRate"].as_u64().is_some_and(|rate| rate <= 48_000), "{name}: {rendition}");
        }
        // Silence has no loudness; JSON has no infinity.
        let has_loudness = item["loudness"]["integratedLufs"].is_f64();
        assert_eq!(has_loudness, !["silence.wav", "one.wav"].contains(&name), "{name}: {item}");
    }
    let id = deployed.upload("audio/unusual/claims.wav", "audio/wav", too_long).await;
    let item = deployed.outcome(id).await;
    assert_eq!((&item["state"], &item["reason"]), (&json!("failed"), &json!("truncated")), "{item}");
}

#[tokio::test]
async fn three_hours_are_heard_and_four_are_not() {
    let deployed = Deployed::get();
    let long = deployed.upload("audio/long/three-hours", "audio/mpeg", three_hours()).await;
    let bomb = deployed.upload("audio/long/bomb", "audio/flac", bomb()).await;
    let ended = async |what: &str, id: MediaId| {
        eventually_within(LONG, what, async || deployed.item(id).await.filter(|item| item["state"] != "processing"))
            .await
    };
    // Both take their time: a minute of a processor.
    let failed = ended("the bomb", bomb).await;
    assert_eq!((&failed["state"], &failed["reason"]), (&json!("failed"), &json!("too_long")), "{failed}");
    assert!(deployed.variants(bomb).await.is_empty());
    let item = ended("the three hours", long).await;
    assert_eq!((&item["state"], &item["codec"]), (&json!("ready"), &json!("mp3")), "{item}");
    let duration = item["durationMs"].as_u64().expect("a duration");
    // Frames do not end with the minute: each repetition adds a part of one.
    assert!(duration.abs_diff(3 * 3_600_000) < 180 * 72 * 3, "{duration} ms");
    let waveform = &item["waveform"]["files"][1];
    assert!(waveform["bytes"].as_u64().is_some_and(|bytes| bytes <= 24 + 2 * 32_768), "{waveform}");
}

#[tokio::test]
async fn what_cannot_be_heard_fails_with_its_reason() {
    let deployed = Deployed::get();
    for (name, bytes, reason) in refused() {
        let id = deployed.upload(&format!("audio/hostile/{name}"), "audio/mpeg", bytes).await;
        let item = deployed.outcome(id).await;
        assert_eq!((&item["state"], &item["reason"]), (&json!("failed"), &json!(reason)), "{name}: {item}");
        assert!(deployed.variants(id).await.is_empty(), "{name}");
    }
}
