//! Recordings of hours.

use std::{
    env, fs,
    process::{Command, Stdio},
    time::Duration,
};

use domain::media::MediaId;
use serde_json::json;
use stack::tools;
use test_support::wait::wait_for_within;
use uuid::Uuid;

use crate::deployed::Deployed;

/// The limit for three hours of sound, beside other tests.
const TIMEOUT: Duration = Duration::from_secs(600);

/// The output of ffmpeg. It writes to a pipe, so the file's header has no length.
fn ffmpeg(arguments: &[&str]) -> Vec<u8> {
    let mut ffmpeg = Command::new(tools::ffmpeg().expect("ffmpeg"));
    ffmpeg.args(["-nostdin", "-v", "error"]).args(arguments).arg("pipe:1").stdin(Stdio::null());
    let output = ffmpeg.output().expect("ffmpeg runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A FLAC of 20 kB with four hours of silence: 230 MB of samples.
fn four_hours() -> Vec<u8> {
    let silence = "anullsrc=r=8000:cl=mono";
    let file = ffmpeg(&["-f", "lavfi", "-i", silence, "-t", "14400", "-frame_size", "65535", "-f", "flac"]);
    assert!(file.len() < 64 * 1024, "{}", file.len());
    file
}

/// An MP3 of three hours: 180 repetitions of a minute whose last two seconds are a tone.
fn three_hours() -> Vec<u8> {
    let tone = "aevalsrc='0.05*sin(2*PI*200*t)*gt(t,58)':s=8000:d=60";
    let minute = env::temp_dir().join(format!("minute-{}.mp3", Uuid::new_v4()));
    fs::write(&minute, ffmpeg(&["-f", "lavfi", "-i", tone, "-b:a", "8k", "-f", "mp3"])).expect("file");
    let path = minute.to_str().expect("UTF-8");
    let file = ffmpeg(&["-stream_loop", "179", "-i", path, "-c", "copy", "-write_xing", "0", "-f", "mp3"]);
    fs::remove_file(&minute).expect("removed");
    file
}

#[tokio::test]
async fn three_hours_become_ready_and_four_hours_fail() {
    let deployed = Deployed::shared().await;
    let long = deployed.put_original("audio/long/three-hours", "audio/mpeg", three_hours()).await;
    let too_long = deployed.put_original("audio/long/bomb", "audio/flac", four_hours()).await;
    // Each takes a minute of CPU time.
    let processed = async |what: &str, id: MediaId| {
        wait_for_within(TIMEOUT, what, async || deployed.processed_item(id).await).await
    };
    let failed = processed("the four hours", too_long).await;
    assert_eq!((&failed["state"], &failed["reason"]), (&json!("failed"), &json!("too_long")), "{failed}");
    assert!(deployed.derived_keys(too_long).await.is_empty());
    let item = processed("the three hours", long).await;
    assert_eq!((&item["state"], &item["codec"]), (&json!("ready"), &json!("mp3")), "{item}");
    let duration = item["durationMs"].as_u64().expect("duration");
    // Frames do not end at the minute: each repetition adds a part of one.
    assert!(duration.abs_diff(3 * 3_600_000) < 180 * 72 * 3, "{duration} ms");
    let waveform = &item["waveform"]["files"][1];
    assert!(waveform["bytes"].as_u64().is_some_and(|bytes| bytes <= 24 + 2 * 32_768), "{waveform}");
}
