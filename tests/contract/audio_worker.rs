//! `audio-worker`: recordings in, renditions, waveforms and reports out.

mod failures;
mod formats;
mod loudness;

use std::{collections::BTreeSet, io::Cursor};

use domain::media::{Derivatives, MediaId, Outcome, Sound};
use lambda_runtime_api::Function;
use serde_json::Value;
use sound::{Analysis, Limits, analyse};
use test_support::{
    bytes::{contains, find},
    recordings::{DERIVED_FILES, LOCATION, TITLE, recording, tagged_recording},
    s3_events::s3_notification,
    wav::{two_minutes, voice},
};

use crate::{
    events::{sqs_event, store_original},
    media_environment::MediaEnvironment,
    responses::consume,
};

/// Default of `AudioMemoryMegabytes` in the template, in bytes.
const MEMORY: u64 = 3008 * 1024 * 1024;

const KEY: &str = "audio/mina/이야기";

/// The outcome in the worker's report.
async fn outcome(media: &MediaEnvironment) -> Outcome {
    let report = media.receive_report().await;
    assert_eq!(report.original.id, MediaId::of_key(&report.original.key));
    report.outcome
}

/// The metadata in the worker's report, which must be `ready`.
async fn sound(media: &MediaEnvironment) -> Sound {
    match outcome(media).await {
        Outcome::Ready(Derivatives::Sound(sound)) => *sound,
        other => panic!("not sound: {other:?}"),
    }
}

/// Has the worker process a recording. Returns the reported metadata, and an analysis of each rendition.
async fn process(media: &MediaEnvironment, worker: &mut Function, content: Vec<u8>) -> (Sound, Vec<Analysis>) {
    let created = store_original(&media.aws, KEY, content).await;
    consume(worker, &created).await;
    let sound = sound(media).await;
    let mut analyses = Vec::new();
    for rendition in &sound.renditions {
        let file = media.derived_file(&rendition.file.key).await;
        assert_eq!(file.len() as u64, rendition.file.size);
        analyses.push(analyse(Cursor::new(file), &Limits::default()).expect("analysis"));
    }
    (sound, analyses)
}

async fn waveform(media: &MediaEnvironment, sound: &Sound) -> Value {
    serde_json::from_slice(&media.derived_file(&sound.waveform.json.key).await).expect("JSON")
}

/// Integrated loudness in LUFS.
fn lufs(analysis: &Analysis) -> f64 {
    analysis.loudness.integrated_lufs.expect("loudness")
}

#[tokio::test]
async fn tagged_recording_becomes_normalised_files_without_tags_until_removal() {
    let media = MediaEnvironment::start("audio").await;
    let mut worker = media.start_function("AudioWorker").await;
    let original = tagged_recording();
    assert!(contains(&original, LOCATION) && contains(&original, TITLE), "the original has no tags");
    let (sound, analyses) = process(&media, &mut worker, original.clone()).await;
    assert_eq!((sound.codec.as_str(), sound.rate_hz, sound.channels), ("aac_lc", 44_100, 1));
    assert!((1_990..=2_010).contains(&sound.duration_ms), "{}", sound.duration_ms);
    let types: Vec<_> = sound.renditions.iter().map(|rendition| rendition.content_type.as_str()).collect();
    assert_eq!(types, ["audio/mp4; codecs=\"mp4a.40.2\"", "audio/ogg; codecs=opus"]);
    for analysis in &analyses {
        // Mono stays mono. -19 LUFS in mono are as loud as -16 LUFS from two loudspeakers.
        assert_eq!(analysis.channels, 1);
        let lufs = lufs(analysis);
        assert!((lufs + 19.0).abs() < 1.0, "{lufs} LUFS");
        assert!(analysis.true_peak_dbtp.expect("peak") <= -1.0, "{analysis:?}");
        assert!((analysis.duration_seconds - 2.0).abs() < 0.05, "{analysis:?}");
    }

    let keys = media.derived_keys(KEY).await;
    assert_eq!(keys.len(), DERIVED_FILES);
    for key in &keys {
        let file = media.derived_file(key).await;
        for tag in [LOCATION.as_bytes(), TITLE.as_bytes(), b"\xa9xyz", b"\xa9nam", b"loci"] {
            assert!(!contains(&file, tag), "{key} contains {}", String::from_utf8_lossy(tag));
        }
    }
    let m4a = media.derived_file(&sound.renditions[0].file.key).await;
    let offset = |kind: &str| find(&m4a, kind).expect("box");
    assert!(offset("moov") < offset("mdat"), "the index follows the samples");

    let json = waveform(&media, &sound).await;
    let binary = media.derived_file(&sound.waveform.binary.key).await;
    let points = json["length"].as_u64().expect("number");
    assert_eq!(
        (json["version"].as_u64(), json["channels"].as_u64(), json["bits"].as_u64()),
        (Some(2), Some(1), Some(8))
    );
    assert_eq!(json["data"].as_array().map(Vec::len), Some(2 * points as usize));
    assert_eq!(binary.len() as u64, 24 + 2 * points);
    assert!(points > 100 && !sound.waveform.preview.is_empty());

    // The second delivery writes the same bytes under the same keys.
    let (again, _) = process(&media, &mut worker, original).await;
    assert_eq!(again, sound);
    assert_eq!(media.derived_keys(KEY).await, keys);

    let removed = sqs_event(&[&s3_notification("ObjectRemoved:Delete", KEY, "0B", 0, "")]);
    consume(&mut worker, &removed).await;
    assert!(media.derived_keys(KEY).await.is_empty());
}

#[tokio::test]
async fn formats_without_rust_decoder_are_prepared_by_ffmpeg() {
    let media = MediaEnvironment::start("audio-foreign").await;
    let mut worker = media.start_function("AudioWorker").await;
    for (name, codec, rate_hz) in [
        ("voice.amr", "amr_nb", 8_000),
        ("voice.3gp", "amr_nb", 8_000),
        ("webm.webm", "opus", 48_000),
        ("aac-24k.aac", "aac_lc", 24_000),
    ] {
        let (sound, analyses) = process(&media, &mut worker, recording(name)).await;
        assert_eq!((sound.codec.as_str(), sound.rate_hz, sound.channels), (codec, rate_hz, 1), "{name}");
        assert!((950..=1_100).contains(&sound.duration_ms), "{name}: {}", sound.duration_ms);
        let original_lufs = sound.loudness.integrated_lufs.expect("loudness");
        assert!((-40.0..0.0).contains(&original_lufs), "{name}: {original_lufs}");
        // A waveform of silence would have one height.
        let json = waveform(&media, &sound).await;
        let heights: BTreeSet<_> = json["data"].as_array().expect("data").iter().map(Value::to_string).collect();
        assert!(heights.len() > 20, "{name}: {heights:?}");
        for lufs in analyses.iter().map(lufs) {
            assert!((lufs + 19.0).abs() < 1.0, "{name}: {lufs} LUFS");
        }
    }
}

#[tokio::test]
async fn memory_is_bounded_for_long_recordings() {
    let media = MediaEnvironment::start("audio-memory").await;
    let mut worker = media.start_function("AudioWorker").await;
    process(&media, &mut worker, voice(1.0)).await;
    let short = worker.peak_memory().expect("memory");
    process(&media, &mut worker, two_minutes()).await;
    let long = worker.peak_memory().expect("memory");
    // A block of the original, and buffers to encode and upload: not the 23 MB of the recording.
    assert!(long < short + 16 * 1024 * 1024 && long < MEMORY / 16, "{} MiB", long / 1024 / 1024);
}
