//! A story in a browser: sent through the API, drawn and played by the local stack's page.

mod support;

use std::{fs, io::Cursor};

use domain::media::Kind;
use local::{paths, uploads::File, users::Users};
use serde_json::{Value, json};
use sound::{Limits, analyse};
use support::{
    Deployed,
    browser::Page,
    recordings::{voice, wav},
};

/// How many pixels of the waveform are painted in each tenth of its width.
const PAINTED: &str = r"(() => {
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
async fn a_story_is_drawn_and_played_in_a_browser() {
    let deployed = Deployed::get();
    let folder = paths::root().join("target/stories");
    let mut page = Page::open(&format!("{}/stories", deployed.stack.docs()), 900, 620, &folder.join("chromium")).await;

    // Mina has an account, and signs in on the page.
    let (email, password) = (format!("mina-{}@iyagi.example", std::process::id()), "Aa1!stories-of-mina");
    let users = Users::of(&deployed.stack).expect("a user pool");
    let mina = users.sign_up_as("Mina", &email, password).await.expect("a user");
    // Eight seconds of a voice, then eight of silence.
    let buzz = voice(8.0);
    let told = wav(44_100, 1, 16.0, |t| sample(&buzz, t));
    let file = File {
        kind: Kind::Audio,
        name: "할머니의 옛날이야기.wav",
        content_type: "audio/wav",
        bytes: told,
        visibility: "private",
        post: None,
    };
    let sent = deployed.send(&mina, &file).await;
    let item = deployed.outcome_for(&mina, sent.id).await;
    assert_eq!(item["state"], "ready", "{item}");

    page.click("[name=email]").await;
    page.enter(&email).await;
    page.click("[name=password]").await;
    page.enter(password).await;
    page.click("[value=sign-in]:enabled").await;
    page.click("#stories li button").await;
    let title = page.eventually("the title", "document.querySelector('#title').textContent || null").await;
    assert_eq!(title, file.name);

    // The waveform is that of the file: as many points, and painted where there is a voice.
    let points = page.eventually("the waveform", "+document.querySelector('#waveform').dataset.points").await;
    let (_, _, waveform) = deployed.fetch(item["waveform"]["files"][0]["url"].as_str().expect("a URL")).await;
    let waveform: Value = serde_json::from_slice(&waveform).expect("JSON");
    assert_eq!(points.as_u64(), waveform["length"].as_u64());
    let tenths: Vec<u64> = loop {
        let tenths = page.eventually("the canvas", PAINTED).await;
        let tenths: Vec<_> = tenths.as_array().expect("tenths").iter().filter_map(Value::as_u64).collect();
        if tenths.iter().sum::<u64>() > 0 {
            break tenths;
        }
    };
    let (voice, silence) = (&tenths[..4], &tenths[6..]);
    let (quietest, loudest) = (voice.iter().min().expect("some"), silence.iter().max().expect("some"));
    assert!(*quietest > 500 && *quietest > 4 * loudest, "{tenths:?}");

    page.click("#play").await;
    let at = "player.getMediaElement().currentTime";
    page.eventually("it to play", &format!("{at} > 1.5")).await;
    assert_eq!(page.evaluate("player.isPlaying()").await, Ok(json!(true)));
    let picture = page.screenshot().await;
    fs::write(folder.join("stories.png"), &picture).expect("written");
    // Where nothing has been fetched yet: a jump.
    page.evaluate("player.setTime(13)").await.expect("a jump");
    page.eventually("it to go on there", &format!("{at} > 13.3 && player.isPlaying()")).await;
    page.click("#play").await;
    page.eventually("it to pause", "!player.isPlaying()").await;

    // What is played: the M4A, by its signed address, as loud as all stories are.
    let source = page.evaluate("player.getMediaElement().currentSrc").await.expect("an address");
    let source = source.as_str().expect("an address");
    assert!(source.contains(".m4a?Policy="), "{source}");
    let (status, _, rendition) = deployed.fetch(source).await;
    assert_eq!(status, 200);
    let measured = analyse(Cursor::new(rendition), &Limits::default()).expect("a rendition");
    let lufs = measured.loudness.integrated_lufs.expect("a loudness");
    // Of two loudspeakers, -19 LUFS in mono are -16.
    assert!(measured.channels == 1 && (lufs + 19.0).abs() < 1.0, "{lufs} LUFS");

    // 16 s cannot be all that was looked at: what the page shows is the picture in target/stories.
    assert!(picture.len() > 10_000, "{} bytes", picture.len());
    assert_eq!(page.complaints, Vec::<String>::new());
    page.close().await;
}

/// A sample of a 16-bit WAV in mono at 44.1 kHz, from -1 to 1; silence behind its end.
fn sample(wav: &[u8], t: f64) -> f64 {
    let at = 44 + 2 * (t * 44_100.0).round() as usize;
    let bytes = wav.get(at..at + 2).map(|bytes| [bytes[0], bytes[1]]);
    f64::from(i16::from_le_bytes(bytes.unwrap_or_default())) / 32_767.0
}
