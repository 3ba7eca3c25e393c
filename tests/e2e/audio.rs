//! Recordings through the deployed stack.
//!
//! Functions: upload-api, audio-worker, metadata-writer, media-api.

mod long_recordings;

use std::io::Cursor;

use domain::media::{Kind, MediaId};
use reqwest::header;
use serde_json::{Value, json};
use sound::{Limits, analyse};
use stack::{uploads::UploadFile, users::User};
use test_support::{
    bytes::contains,
    invalid_recordings::invalid_recordings,
    recordings::{DERIVED_FILES, LOCATION, TITLE, case, recording, tagged_recording},
    wait::{wait_for, wait_until},
    wav::{voice, wav},
};

use crate::deployed::Deployed;

fn story<'a>(name: &'a str, content_type: &'a str, bytes: Vec<u8>, visibility: &'a str) -> UploadFile<'a> {
    UploadFile { kind: Kind::Audio, name, content_type, bytes, visibility, post: Some("story-1") }
}

fn url(file: &Value) -> &str {
    file["url"].as_str().expect("URL")
}

/// All files of an item: the renditions, then the waveforms.
fn files(item: &Value) -> Vec<Value> {
    let renditions = item["renditions"].as_array().expect("renditions");
    renditions.iter().chain(item["waveform"]["files"].as_array().expect("files")).cloned().collect()
}

/// The different states in which `user` sees an item, up to the last.
async fn states(deployed: &Deployed, user: &User, id: MediaId) -> Vec<Value> {
    let mut states = Vec::new();
    wait_until("an outcome", async || {
        let response = deployed.get(user, &format!("/v1/media/{id}")).await;
        let state = response.body["state"].clone();
        if response.status == 200 && states.last() != Some(&state) {
            states.push(state.clone());
        }
        matches!(state.as_str(), Some("ready" | "failed"))
    })
    .await;
    states
}

/// Waits until the CDN refuses each of the files.
async fn wait_until_refused(deployed: &Deployed, files: &[Value]) {
    for file in files {
        wait_until("the CDN to refuse", async || deployed.fetch(url(file)).await.0 >= 400).await;
    }
}

#[tokio::test]
async fn uploaded_recording_is_served_normalised_until_deletion() {
    let deployed = Deployed::shared().await;
    let mina = deployed.sign_up("Mina").await;
    for visibility in ["public", "private"] {
        let sent = deployed.upload(&mina, &story("이야기.m4a", "audio/mp4", tagged_recording(), visibility)).await;
        let states = states(&deployed, &mina, sent.id).await;
        assert!(states == ["processing", "ready"] || states == ["ready"], "{states:?}");
        let item = deployed.wait_until_processed_for(&mina, sent.id).await;
        assert_eq!((&item["state"], &item["codec"], &item["channels"]), (&json!("ready"), &json!("aac_lc"), &json!(1)));
        assert!((1_990..=2_010).contains(&item["durationMs"].as_u64().expect("duration")), "{item}");
        assert!(item["loudness"]["integratedLufs"].is_f64() && item["loudness"]["gainDb"].is_number(), "{item}");
        assert!(item["waveform"]["preview"].as_str().is_some_and(|preview| preview.len() > 50), "{item}");

        let files = files(&item);
        assert_eq!(files.len(), DERIVED_FILES);
        for file in &files {
            let link = url(file);
            assert_eq!(link.contains("?Policy="), visibility == "private", "{link}");
            let (status, content_type, bytes) = deployed.fetch(link).await;
            let kind = file["type"].as_str().and_then(|kind| kind.split(';').next()).expect("type");
            assert_eq!(
                (status, content_type.as_str(), json!(bytes.len())),
                (200, kind, file["bytes"].clone()),
                "{link}"
            );
            for tag in [LOCATION, TITLE] {
                assert!(!contains(&bytes, tag), "{link} contains {tag}");
            }
        }
        for rendition in item["renditions"].as_array().expect("renditions") {
            let (_, _, bytes) = deployed.fetch(url(rendition)).await;
            let analysis = analyse(Cursor::new(&bytes), &Limits::default()).expect("analysis");
            let lufs = analysis.measured.loudness.integrated_lufs.expect("loudness");
            assert!((lufs + 19.0).abs() < 1.0 && analysis.channels == 1, "{lufs} LUFS");
            // Players request ranges.
            let part = reqwest::Client::new().get(url(rendition)).header(header::RANGE, "bytes=100-199").send().await;
            let part = part.expect("response");
            let range = format!("bytes 100-199/{}", bytes.len());
            assert_eq!(part.status(), 206);
            assert_eq!(part.headers()["content-range"], range.as_str());
            assert_eq!(part.bytes().await.expect("part"), &bytes[100..200]);
        }
        let (_, _, waveform) = deployed.fetch(url(&files[2])).await;
        let waveform: Value = serde_json::from_slice(&waveform).expect("JSON");
        assert_eq!((&waveform["version"], &waveform["channels"]), (&json!(2), &json!(1)));

        deployed.delete_item(&mina, sent.id).await;
        deployed.wait_until_no_derived_files(sent.id).await;
        wait_until_refused(&deployed, &files).await;
    }
}

#[tokio::test]
async fn fields_and_kind_select_audio_metadata() {
    let deployed = Deployed::shared().await;
    let mina = deployed.sign_up("Mina").await;
    let (sent, _) = deployed.upload_and_process(&mina, &story("a.wav", "audio/wav", voice(1.0), "public")).await;
    let get = async |fields: &str| deployed.get(&mina, &format!("/v1/media/{}?fields={fields}", sent.id)).await.body;
    let item = get("durationMs,state").await;
    assert_eq!((&item["id"], &item["durationMs"], &item["state"]), (&json!(sent.id), &json!(1_000), &json!("ready")));
    assert_eq!((&item["codec"], &item["renditions"]), (&Value::Null, &Value::Null), "{item}");
    let renditions = get("renditions").await;
    assert_eq!(renditions["renditions"].as_array().map(Vec::len), Some(2), "{renditions}");
    let list = deployed.get(&mina, "/v1/media?kind=audio&post=story-1").await;
    assert_eq!(list.status, 400, "kind and post exclude each other");
    let list = deployed.get(&mina, "/v1/media?kind=audio").await;
    assert_eq!(list.body["items"][0]["durationMs"], 1_000, "{list:?}");
}

#[tokio::test]
async fn overwritten_recording_is_processed_again_and_old_files_are_deleted() {
    let deployed = Deployed::shared().await;
    let key = "audio/overwritten/a.wav";
    let id = deployed.put_original(key, "audio/wav", voice(1.0)).await;
    let first = deployed.wait_until_processed(id).await;
    assert_eq!(first["durationMs"], 1_000, "{first}");
    deployed.put_original(key, "audio/wav", voice(2.0)).await;
    let second =
        wait_for("the new recording", async || deployed.item(id).await.filter(|item| item["durationMs"] == 2_000))
            .await;
    wait_until("the old files to be deleted", async || deployed.derived_keys(id).await.len() == DERIVED_FILES).await;
    let left = deployed.derived_keys(id).await;
    for file in files(&second) {
        assert!(left.iter().any(|key| url(&file).contains(key)), "{file}");
    }
    wait_until_refused(&deployed, &files(&first)).await;
    // Invalid content in its place must not leave the old files.
    deployed.put_original(key, "audio/wav", b"no story".to_vec()).await;
    assert_eq!(deployed.wait_for_state(id, "failed").await["reason"], "unsupported_format");
    deployed.wait_until_no_derived_files(id).await;
}

#[tokio::test]
async fn formats_of_phones_become_ready() {
    let deployed = Deployed::shared().await;
    let mina = deployed.sign_up("Mina").await;
    for (name, content_type, codec) in [
        ("voice.amr", "audio/amr", "amr_nb"),
        ("voice.3gp", "audio/3gpp", "amr_nb"),
        ("webm.webm", "audio/webm", "opus"),
        ("aac-24k.aac", "audio/aac", "aac_lc"),
        ("voice.mp3", "audio/mpeg", "mp3"),
        ("voice.flac", "audio/flac", "flac"),
        ("vorbis.ogg", "audio/ogg", "vorbis"),
        // A video with sound, and a wrong declared type: the content decides.
        ("video.mp4", "audio/mp4", "aac_lc"),
        ("surround.flac", "audio/mpeg", "flac"),
    ] {
        let file = story(name, content_type, recording(name), "followers");
        let (_, item) = deployed.upload_and_process(&mina, &file).await;
        assert_eq!((&item["state"], &item["codec"]), (&json!("ready"), &json!(codec)), "{name}: {item}");
        assert_eq!(files(&item).len(), DERIVED_FILES, "{name}");
    }
}

#[tokio::test]
async fn unusual_recordings_become_ready() {
    let deployed = Deployed::shared().await;
    let tone = |t: f64| 0.1 * (t * 6_000.0).sin();
    let mut claims = wav(8_000, 1, 1.0, tone);
    // The header claims 1.5 s; the file holds 1 s, which is what players play.
    claims[40..44].copy_from_slice(&24_000_u32.to_le_bytes());
    let mut uploaded = Vec::new();
    for (name, bytes, channels, rate_hz, milliseconds) in [
        ("eight.wav", wav(48_000, 8, 1.0, tone), 8, 48_000, 1_000),
        ("192.wav", wav(192_000, 2, 1.0, tone), 2, 192_000, 1_000),
        ("both.wav", wav(192_000, 8, 1.0, tone), 8, 192_000, 1_000),
        ("silence.wav", wav(44_100, 2, 1.0, |_| 0.0), 2, 44_100, 1_000),
        ("dc.wav", wav(44_100, 1, 1.0, |_| 0.5), 1, 44_100, 1_000),
        ("one.wav", wav(44_100, 1, 1.0 / 44_100.0, |_| 0.5), 1, 44_100, 0),
        ("behind.m4a", recording("aac-index-last.m4a"), 1, 44_100, 2_000),
        ("claims.wav", claims, 1, 8_000, 1_000),
        ("trimmed.m4a", case("m4a-trimmed-at-end.m4a"), 1, 44_100, 2_000),
        ("whatsapp.opus", case("ogg-opus-without-eos.opus"), 1, 48_000, 3_014),
        ("joined.mp3", case("mp3-stereo-then-mono.mp3"), 2, 44_100, 5_069),
        ("unknown-track.mp4", case("mp4-unknown-track-first.mp4"), 1, 44_100, 1_000),
    ] {
        let id = deployed.put_original(&format!("audio/unusual/{name}"), "audio/wav", bytes).await;
        uploaded.push((name, id, channels, rate_hz, milliseconds));
    }
    for (name, id, channels, rate_hz, milliseconds) in uploaded {
        let item = deployed.wait_until_processed(id).await;
        assert_eq!(
            (&item["state"], &item["channels"], &item["sampleRate"]),
            (&json!("ready"), &json!(channels), &json!(rate_hz)),
            "{name}: {item}"
        );
        let duration = item["durationMs"].as_i64().expect("duration");
        assert!((duration - milliseconds).abs() <= 10, "{name}: {duration} ms");
        for rendition in item["renditions"].as_array().expect("renditions") {
            assert_eq!(rendition["channels"], json!(channels.min(2)), "{name}");
            assert!(rendition["sampleRate"].as_u64().is_some_and(|rate| rate <= 48_000), "{name}: {rendition}");
        }
        // Silence has no loudness: JSON has no infinity.
        let has_loudness = item["loudness"]["integratedLufs"].is_f64();
        assert_eq!(has_loudness, !["silence.wav", "one.wav"].contains(&name), "{name}: {item}");
    }
}

#[tokio::test]
async fn invalid_recording_fails_with_reason() {
    let deployed = Deployed::shared().await;
    for (name, content, reason) in invalid_recordings() {
        let id = deployed.put_original(&format!("audio/hostile/{name}"), "audio/mpeg", content).await;
        let item = deployed.wait_until_processed(id).await;
        assert_eq!((&item["state"], &item["reason"]), (&json!("failed"), &json!(reason)), "{name}: {item}");
        assert!(deployed.derived_keys(id).await.is_empty(), "{name}");
    }
}
