//! The audio worker alone, as built for AWS, by the Lambda Runtime API: recordings in, what is played
//! and drawn of them out.

mod support;

use std::{
    collections::BTreeSet,
    fs,
    io::Cursor,
    path::{Path, PathBuf},
    time::Duration,
};

use domain::media::{Derivatives, MediaId, Outcome, Report, Sound};
use http::Method;
use local::{
    functions, paths,
    runtime_api::{Answer, Function},
};
use serde_json::{Value, json};
use sound::{Analysis, Limits, analyse};
use support::{
    landed, messages,
    recordings::{self, PLACE, TITLE, located, recording, voice, wav},
    s3_notification,
    world::{World, all_done, start},
};

/// What `MemorySize` in the template grants the audio worker, in bytes.
const MEMORY: u64 = 3538 * 1024 * 1024;
const KEY: &str = "audio/mina/이야기";
/// Waveform (JSON and binary), M4A, Opus.
const FILES: usize = 4;

async fn outcome(world: &World) -> Outcome {
    let reports = messages(&world.aws, &world.metadata_queue, 1).await;
    let report: Report = serde_json::from_str(&reports[0]).expect("a report");
    assert_eq!(report.original.id, MediaId::of_key(&report.original.key));
    report.outcome
}

async fn sound(world: &World) -> Sound {
    match outcome(world).await {
        Outcome::Ready(Derivatives::Sound(sound)) => *sound,
        other => panic!("not sound: {other:?}"),
    }
}

/// Has the worker prepare a recording, and measures again what came of it.
async fn prepared(world: &World, worker: &mut Function, bytes: Vec<u8>) -> (Sound, Vec<Analysis>) {
    let event = landed(&world.aws, "originals", KEY, bytes).await;
    assert_eq!(worker.invoke(&event).await.expect("an answer"), all_done());
    let sound = sound(world).await;
    let mut measured = Vec::new();
    for rendition in &sound.renditions {
        let bytes = file(world, &rendition.file.key).await;
        assert_eq!(bytes.len() as u64, rendition.file.size);
        measured.push(analyse(Cursor::new(bytes), &Limits::default()).expect("a rendition"));
    }
    (sound, measured)
}

async fn file(world: &World, key: &str) -> Vec<u8> {
    let answer =
        world.aws.send("s3", Method::GET, &format!("/derived/{key}"), &[], Vec::new()).await.expect("an answer");
    assert!(answer.status.is_success(), "{key}: {}", answer.status);
    answer.body
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn a_story_sounds_right_and_does_not_say_where_it_was_told() {
    let world = World::new("audio").await;
    let mut worker = world.start("AudioWorker").await;
    let original = located();
    assert!(holds(&original, PLACE) && holds(&original, TITLE), "what is to go is not there");
    let (told, measured) = prepared(&world, &mut worker, original.clone()).await;
    assert_eq!((told.codec.as_str(), told.rate_hz, told.channels), ("aac_lc", 44_100, 1));
    assert!((1_990..=2_010).contains(&told.duration_ms), "{}", told.duration_ms);
    let types: Vec<_> = told.renditions.iter().map(|rendition| rendition.content_type.as_str()).collect();
    assert_eq!(types, ["audio/mp4; codecs=\"mp4a.40.2\"", "audio/ogg; codecs=opus"]);
    for analysis in &measured {
        // Mono stays mono; -19 LUFS in mono are -16 of two loudspeakers.
        assert_eq!(analysis.channels, 1);
        let lufs = analysis.loudness.integrated_lufs.expect("a loudness");
        assert!((lufs + 19.0).abs() < 1.0, "{lufs} LUFS");
        assert!(analysis.true_peak_dbtp.expect("a peak") <= -1.0, "{analysis:?}");
        assert!((analysis.duration_seconds - 2.0).abs() < 0.05, "{analysis:?}");
    }

    let keys = world.derived(KEY).await;
    assert_eq!(keys.len(), FILES);
    for key in &keys {
        let bytes = file(&world, key).await;
        assert!(!holds(&bytes, PLACE) && !holds(&bytes, TITLE), "{key}");
        for atom in [b"\xa9xyz", b"\xa9nam", b"loci"] {
            assert!(!bytes.windows(4).any(|window| window == atom), "{key}");
        }
    }
    let m4a = file(&world, &told.renditions[0].file.key).await;
    let place = |kind: &[u8; 4]| m4a.windows(4).position(|window| window == kind).expect("a box");
    assert!(place(b"moov") < place(b"mdat"), "the index is behind the sound");

    let json: Value = serde_json::from_slice(&file(&world, &told.waveform.json.key).await).expect("JSON");
    let binary = file(&world, &told.waveform.binary.key).await;
    let points = json["length"].as_u64().expect("a number");
    assert_eq!(
        (json["version"].as_u64(), json["channels"].as_u64(), json["bits"].as_u64()),
        (Some(2), Some(1), Some(8))
    );
    assert_eq!(json["data"].as_array().map(Vec::len), Some(2 * points as usize));
    assert_eq!(binary.len() as u64, 24 + 2 * points);
    assert!(points > 100 && !told.waveform.preview.is_empty());

    // Once more: the same bytes under the same keys.
    let (again, _) = prepared(&world, &mut worker, original).await;
    assert_eq!(again, told);
    assert_eq!(world.derived(KEY).await, keys);

    let removed = json!({"Records": [{
        "messageId": "m1", "body": s3_notification("ObjectRemoved:Delete", KEY, "0B", 0, "")
    }]});
    assert_eq!(worker.invoke(&removed).await.expect("an answer"), all_done());
    assert!(world.derived(KEY).await.is_empty());
}

#[tokio::test]
async fn loudness_is_right_whatever_came() {
    use std::f64::consts::TAU;
    let world = World::new("audio-loudness").await;
    let mut worker = world.start("AudioWorker").await;
    // Clicks in something quiet: at -16 LUFS these would stand far above full scale.
    let clicks = |t: f64| {
        let height = if t % 1.5 < 0.002 { 0.4 } else { 0.05 };
        height * (TAU * 440.0 * t).sin()
    };
    for (name, bytes, channels, limited) in [
        ("stereo", recording("stereo.mp3"), 2, None),
        ("too loud", recording("hot.mp3"), 1, Some(false)),
        ("quiet", voice(3.0), 1, Some(false)),
        ("clicks", wav(48_000, 2, 6.0, clicks), 2, Some(true)),
        ("opus", recording("voice.opus"), 1, None),
        ("six channels", recording("surround.opus"), 2, None),
        ("48 kHz from 192", wav(192_000, 2, 1.0, |t| 0.1 * (TAU * 997.0 * t).sin()), 2, Some(false)),
    ] {
        let (told, measured) = prepared(&world, &mut worker, bytes).await;
        if let Some(limited) = limited {
            assert_eq!(told.loudness.limited, limited, "{name}: {:?}", told.loudness);
        }
        let target = if channels == 1 { -19.0 } else { -16.0 };
        for analysis in measured {
            assert_eq!(analysis.channels, channels, "{name}");
            let lufs = analysis.loudness.integrated_lufs.expect("a loudness");
            assert!((lufs - target).abs() < 1.0, "{name}: {lufs} LUFS, {:?}", told.loudness);
            let peak = analysis.true_peak_dbtp.expect("a peak");
            assert!(peak <= -1.0, "{name}: {peak} dBTP, {:?}", told.loudness);
        }
    }
}

#[tokio::test]
async fn silence_is_a_recording_too() {
    let world = World::new("audio-silence").await;
    let mut worker = world.start("AudioWorker").await;
    let (told, _) = prepared(&world, &mut worker, wav(44_100, 2, 2.0, |_| 0.0)).await;
    assert_eq!((told.loudness.integrated_lufs, told.loudness.true_peak_dbtp), (None, None));
    assert_eq!((told.loudness.gain_db, told.duration_ms), (0.0, 2_000));
    assert_eq!((told.silence.leading_ms, told.silence.pauses.len()), (2_000, 1));
    let (told, _) = prepared(&world, &mut worker, wav(44_100, 1, 1.0 / 44_100.0, |_| 0.5)).await;
    assert_eq!(told.duration_ms, 0, "one sample");
}

#[tokio::test]
async fn what_phones_record_and_rust_does_not_decode_is_prepared_by_ffmpeg() {
    let world = World::new("audio-foreign").await;
    let mut worker = world.start("AudioWorker").await;
    for (name, codec, rate_hz) in [
        ("voice.amr", "amr_nb", 8_000),
        ("voice.3gp", "amr_nb", 8_000),
        ("webm.webm", "opus", 48_000),
        ("aac-24k.aac", "aac_lc", 24_000),
    ] {
        let (told, measured) = prepared(&world, &mut worker, recording(name)).await;
        assert_eq!((told.codec.as_str(), told.rate_hz, told.channels), (codec, rate_hz, 1), "{name}");
        assert!((950..=1_100).contains(&told.duration_ms), "{name}: {}", told.duration_ms);
        let lufs = told.loudness.integrated_lufs.expect("a loudness");
        assert!((-40.0..0.0).contains(&lufs), "{name}: {lufs}");
        // A waveform that is drawn as a line is none.
        let json: Value = serde_json::from_slice(&file(&world, &told.waveform.json.key).await).expect("JSON");
        let heights: BTreeSet<_> = json["data"].as_array().expect("data").iter().map(Value::to_string).collect();
        assert!(heights.len() > 20, "{name}: {heights:?}");
        for analysis in measured {
            let lufs = analysis.loudness.integrated_lufs.expect("a loudness");
            assert!((lufs + 19.0).abs() < 1.0, "{name}: {lufs} LUFS");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_heard_fails_with_its_reason_and_leaves_nothing() {
    let world = World::new("audio-refused").await;
    let mut worker = world.start("AudioWorker").await;
    for (name, bytes, wanted) in recordings::refused() {
        let event = landed(&world.aws, "originals", KEY, bytes).await;
        assert_eq!(worker.invoke(&event).await.expect("an answer"), all_done(), "{name}");
        match outcome(&world).await {
            Outcome::Failed { reason } => assert_eq!(json!(reason), wanted, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
        assert!(world.derived(KEY).await.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn an_original_that_has_gone_or_changed_is_not_told_of() {
    let world = World::new("audio-gone").await;
    let mut worker = world.start("AudioWorker").await;
    let event = landed(&world.aws, "originals", KEY, voice(1.0)).await;
    // Other content under the same key: its own event is on its way.
    world.aws.put_object("originals", KEY, "audio/wav", voice(2.0)).await.expect("stored");
    assert_eq!(worker.invoke(&event).await.expect("an answer"), all_done());
    world.aws.delete_object("originals", KEY).await.expect("deleted");
    assert_eq!(worker.invoke(&event).await.expect("an answer"), all_done());
    assert!(world.derived(KEY).await.is_empty());
    // What is told next is the first there is.
    let (told, _) = prepared(&world, &mut worker, voice(3.0)).await;
    assert_eq!(told.duration_ms, 3_000);
}

#[tokio::test]
async fn what_cannot_be_done_now_comes_again_and_what_never_works_is_buried() {
    let world = World::new("audio-failures").await;
    let event = landed(&world.aws, "originals", KEY, voice(1.0)).await;
    // Nobody listens there: AWS is out of reach.
    let nowhere = "http://127.0.0.1:9";
    let mut worker = start("AudioWorker", nowhere, "http://127.0.0.1:9/q", "http://127.0.0.1:9/d", "E1").await;
    let answer = worker.invoke(&event).await.expect("an answer");
    assert_eq!(answer, Answer::Response(json!({"batchItemFailures": [{"itemIdentifier": "m0"}]})));

    let mut worker = world.start_with("AudioWorker", ("FFMPEG_PATH", "/nowhere/ffmpeg")).await;
    assert_eq!(worker.invoke(&event).await.expect("an answer"), all_done());
    let dead = messages(&world.aws, &world.dead_letters, 1).await;
    assert_eq!(dead, [event["Records"][0]["body"].as_str().expect("a body")]);

    let mut worker = Function::start(&functions::bootstrap("AudioWorker"), &[]).await.expect("a process");
    assert!(worker.invoke(&event).await.is_err(), "it starts without settings");
}

#[tokio::test]
async fn a_worker_that_is_killed_at_work_leaves_nothing_and_the_next_one_ends_it() {
    let world = World::new("audio-killed").await;
    let folder = paths::workdir().join("contract/audio-killed/tmp");
    fs::create_dir_all(&folder).expect("a folder");
    let in_folder = ("TMPDIR", folder.to_str().expect("UTF-8"));
    let mut worker = world.start_with("AudioWorker", in_folder).await;
    let story = wav(48_000, 2, 120.0, |t| 0.1 * (t * 3_000.0).sin());
    let event = landed(&world.aws, "originals", KEY, story).await;
    // Encoding takes seconds; that is when it dies.
    let encodes = async {
        while !left_in(&folder).iter().any(|path| path.ends_with("story.m4a")) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::select! {
        answer = worker.invoke(&event) => panic!("it was done before it was killed: {answer:?}"),
        () = encodes => {}
    }
    worker.kill().await.expect("killed");
    assert!(!left_in(&folder).is_empty(), "it was not at work");
    assert!(world.derived(KEY).await.is_empty());

    // The queue delivers it again.
    let mut worker = world.start_with("AudioWorker", in_folder).await;
    assert_eq!(worker.invoke(&event).await.expect("an answer"), all_done());
    let told = sound(&world).await;
    assert_eq!(told.duration_ms, 120_000);
    assert_eq!(world.derived(KEY).await.len(), FILES);
    assert_eq!(left_in(&folder), Vec::<PathBuf>::new());
}

/// The files in the folders of `folder`.
fn left_in(folder: &Path) -> Vec<PathBuf> {
    let entries = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries(folder).flat_map(|folder| entries(&folder).collect::<Vec<_>>()).collect()
}

#[tokio::test]
async fn memory_does_not_grow_with_the_recording() {
    let world = World::new("audio-memory").await;
    let mut worker = world.start("AudioWorker").await;
    prepared(&world, &mut worker, voice(1.0)).await;
    let short = worker.peak_memory().expect("a figure");
    prepared(&world, &mut worker, wav(48_000, 2, 120.0, |t| 0.1 * (t * 3_000.0).sin())).await;
    let long = worker.peak_memory().expect("a figure");
    // A block of the original, and what encoding and sending takes: not the 23 MB of the recording.
    assert!(long < short + 16 * 1024 * 1024 && long < MEMORY / 16, "{} MiB", long / 1024 / 1024);
}
