//! The page of stories in a browser: it draws and plays a recording.
//!
//! Functions: upload-api, audio-worker, metadata-writer, media-api.

use std::{fs, io::Cursor};

use domain::media::Kind;
use serde_json::{Value, json};
use sound::{Limits, analyse};
use stack::{paths, uploads::UploadFile, users::Users};
use test_support::wav::{voice, wav};
use uuid::Uuid;

use crate::{browser::Page, deployed::Deployed};

/// Counts the opaque pixels of the waveform in each tenth of its width.
const OPAQUE_PIXELS: &str = r"(() => {
    const canvases = [...document.querySelector('#waveform > div').shadowRoot.querySelectorAll('.canvases canvas')];
    const tenths = Array(10).fill(0);
    for (const canvas of canvases) {
        const { width, height } = canvas;
        if (!width || !height) return null;
        const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
        for (let at = 3; at < data.length; at += 4) {
            if (data[at] > 127) tenths[Math.floor((((at - 3) / 4) % width) / width * 10)]++;
        }
    }
    return tenths;
})()";

#[tokio::test]
async fn recording_is_drawn_and_played_in_browser() {
    let deployed = Deployed::shared().await;
    let folder = paths::root().join("target/stories");
    let mut page =
        Page::open(&format!("{}/stories", deployed.stack.docs_endpoint()), 900, 620, &folder.join("chromium")).await;

    let (email, password) = (format!("mina-{}@iyagi.example", Uuid::new_v4().simple()), "Aa1!stories-of-mina");
    let users = Users::from_stack(&deployed.stack).expect("user pool");
    let mina = users.sign_up_as("Mina", &email, password).await.expect("user");
    // Eight seconds of a voice, then eight of silence.
    let voiced = voice(8.0);
    let file = UploadFile {
        kind: Kind::Audio,
        name: "할머니의 옛날이야기.wav",
        content_type: "audio/wav",
        bytes: wav(44_100, 1, 16.0, |t| sample(&voiced, t)),
        visibility: "private",
        post: None,
    };
    let (_, item) = deployed.upload_and_process(&mina, &file).await;
    assert_eq!(item["state"], "ready", "{item}");

    page.click("[name=email]").await;
    page.enter(&email).await;
    page.click("[name=password]").await;
    page.enter(password).await;
    page.click("[value=sign-in]:enabled").await;
    page.click("#stories li button").await;
    let title = page.wait_for("the title", "document.querySelector('#title').textContent || null").await;
    assert_eq!(title, file.name);

    // The waveform has all points of the file, and pixels where the voice is.
    let points = page.wait_for("the waveform", "+document.querySelector('#waveform').dataset.points").await;
    let (_, _, waveform) = deployed.fetch(item["waveform"]["files"][0]["url"].as_str().expect("URL")).await;
    let waveform: Value = serde_json::from_slice(&waveform).expect("JSON");
    assert_eq!(points.as_u64(), waveform["length"].as_u64());
    let tenths: Vec<u64> = loop {
        let tenths = page.wait_for("the canvas", OPAQUE_PIXELS).await;
        let tenths: Vec<_> = tenths.as_array().expect("tenths").iter().filter_map(Value::as_u64).collect();
        if tenths.iter().sum::<u64>() > 0 {
            break tenths;
        }
    };
    let (voice, silence) = (&tenths[..4], &tenths[6..]);
    let (quietest, loudest) = (voice.iter().min().expect("tenth"), silence.iter().max().expect("tenth"));
    assert!(*quietest > 500 && *quietest > 4 * loudest, "{tenths:?}");

    page.click("#play").await;
    let time = "player.getMediaElement().currentTime";
    page.wait_for("it to play", &format!("{time} > 1.5")).await;
    assert_eq!(page.evaluate("player.isPlaying()").await, Ok(json!(true)));
    let picture = page.screenshot().await;
    fs::write(folder.join("stories.png"), &picture).expect("screenshot");
    // A jump to a part that is not loaded yet.
    page.evaluate("player.setTime(13)").await.expect("jump");
    page.wait_for("it to play there", &format!("{time} > 13.3 && player.isPlaying()")).await;
    page.click("#play").await;
    page.wait_for("it to pause", "!player.isPlaying()").await;

    // It plays the M4A, by its signed URL, at the target loudness.
    let source = page.evaluate("player.getMediaElement().currentSrc").await.expect("URL");
    let source = source.as_str().expect("URL");
    assert!(source.contains(".m4a?Policy="), "{source}");
    let (status, _, rendition) = deployed.fetch(source).await;
    assert_eq!(status, 200);
    let analysis = analyse(Cursor::new(rendition), &Limits::default()).expect("analysis");
    let lufs = analysis.measured.loudness.integrated_lufs.expect("loudness");
    // -19 LUFS in mono are as loud as -16 LUFS from two loudspeakers.
    assert!(analysis.channels == 1 && (lufs + 19.0).abs() < 1.0, "{lufs} LUFS");

    // The screenshot is not empty. It stays in target/stories for people to look at.
    assert!(picture.len() > 10_000, "{} bytes", picture.len());
    assert_eq!(page.errors, Vec::<String>::new());
    page.close().await;
}

/// A sample (-1 to 1) of a 16-bit mono WAV at 44.1 kHz; 0 after its end.
fn sample(wav: &[u8], t: f64) -> f64 {
    let at = 44 + 2 * (t * 44_100.0).round() as usize;
    let bytes = wav.get(at..at + 2).map(|bytes| [bytes[0], bytes[1]]);
    f64::from(i16::from_le_bytes(bytes.unwrap_or_default())) / 32_767.0
}
