//! Recordings that cannot be processed, and workers that fail.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use domain::media::Outcome;
use lambda_runtime_api::Function;
use serde_json::json;
use stack::{functions, paths};
use test_support::{
    invalid_recordings::invalid_recordings,
    recordings::DERIVED_FILES,
    wav::{two_minutes, voice},
};
use tokio::time::sleep;

use super::{KEY, outcome, process, sound};
use crate::{
    events::store_original,
    media_environment::{MediaEnvironment, start_disconnected},
    responses::{consume, invoke},
};

#[tokio::test]
async fn invalid_recording_fails_with_reason_and_without_files() {
    let media = MediaEnvironment::start("audio-refused").await;
    let mut worker = media.start_function("AudioWorker").await;
    for (name, content, expected) in invalid_recordings() {
        let created = store_original(&media.aws, KEY, content).await;
        consume(&mut worker, &created).await;
        match outcome(&media).await {
            Outcome::Failed { reason } => assert_eq!(json!(reason), expected, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
        assert!(media.derived_keys(KEY).await.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn replaced_or_deleted_original_is_not_reported() {
    let media = MediaEnvironment::start("audio-gone").await;
    let mut worker = media.start_function("AudioWorker").await;
    let created = store_original(&media.aws, KEY, voice(1.0)).await;
    // The new content under the same key has its own event.
    media.aws.put_object("originals", KEY, "audio/wav", voice(2.0)).await.expect("object stored");
    consume(&mut worker, &created).await;
    media.aws.delete_object("originals", KEY).await.expect("object deleted");
    consume(&mut worker, &created).await;
    assert!(media.derived_keys(KEY).await.is_empty());
    // `process` expects exactly one report: there was none before.
    let (sound, _) = process(&media, &mut worker, voice(3.0)).await;
    assert_eq!(sound.duration_ms, 3_000);
}

#[tokio::test]
async fn transient_failure_returns_message_and_bug_dead_letters_it() {
    let media = MediaEnvironment::start("audio-failures").await;
    let created = store_original(&media.aws, KEY, voice(1.0)).await;
    let mut worker = start_disconnected("AudioWorker").await;
    let response = invoke(&mut worker, &created).await;
    assert_eq!(response, json!({"batchItemFailures": [{"itemIdentifier": "m0"}]}));

    let mut worker = media.start_function_with("AudioWorker", &[("FFMPEG_PATH", "/nowhere/ffmpeg")]).await;
    consume(&mut worker, &created).await;
    assert_eq!(media.receive_dead_letter().await, created["Records"][0]["body"].as_str().expect("body"));

    let mut worker = Function::start(&functions::packaged_binary("AudioWorker"), &[]).await.expect("process");
    assert!(worker.invoke(&created).await.is_err(), "it starts without settings");
}

#[tokio::test]
async fn killed_worker_leaves_no_derived_files_and_retry_completes() {
    let media = MediaEnvironment::start("audio-killed").await;
    let folder = paths::workdir().join("contract/audio-killed/tmp");
    // A run that was aborted leaves files.
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("removed");
    }
    fs::create_dir_all(&folder).expect("folder");
    let temporary = ("TMPDIR", folder.to_str().expect("UTF-8"));
    let mut worker = media.start_function_with("AudioWorker", &[temporary]).await;
    let created = store_original(&media.aws, KEY, two_minutes()).await;
    // Kill it during the encoding, which takes seconds.
    let encoding = async {
        while !files_in_subfolders(&folder).iter().any(|path| path.ends_with("story.m4a")) {
            sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::select! {
        response = worker.invoke(&created) => panic!("it ended before it was killed: {response:?}"),
        () = encoding => {}
    }
    worker.kill().await.expect("killed");
    assert!(!files_in_subfolders(&folder).is_empty(), "it was not encoding");
    assert!(media.derived_keys(KEY).await.is_empty());

    // The queue delivers the message again.
    let mut worker = media.start_function_with("AudioWorker", &[temporary]).await;
    consume(&mut worker, &created).await;
    assert_eq!(sound(&media).await.duration_ms, 120_000);
    assert_eq!(media.derived_keys(KEY).await.len(), DERIVED_FILES);
    assert_eq!(files_in_subfolders(&folder), Vec::<PathBuf>::new());
}

fn files_in_subfolders(folder: &Path) -> Vec<PathBuf> {
    let entries = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries(folder).flat_map(|folder| entries(&folder).collect::<Vec<_>>()).collect()
}
