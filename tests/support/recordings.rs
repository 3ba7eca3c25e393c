//! Recordings, and what only looks like them.

use std::{
    fs,
    process::{Command, Stdio},
};

use local::{paths, tools};

/// A file of `crates/sound/tests/fixtures`.
pub fn recording(name: &str) -> Vec<u8> {
    fs::read(paths::root().join("crates/sound/tests/fixtures").join(name)).expect("a recording")
}

/// Where the recording of [`located`] was made, as phones write it (ISO 6709).
pub const PLACE: &str = "+37.5665+126.9780/";
/// What it is called.
pub const TITLE: &str = "비밀 이야기";

/// An M4A (AAC-LC, mono, two seconds, index at the end) that says where it was recorded and what it is
/// called, in the atoms that phones use.
pub fn located() -> Vec<u8> {
    let mut file = recording("aac-index-last.m4a");
    let text = |kind: [u8; 4], text: &str| {
        let mut content = u16::try_from(text.len()).expect("short").to_be_bytes().to_vec();
        // "und", packed.
        content.extend([0x55, 0xc4]);
        content.extend(text.as_bytes());
        atom(kind, &content)
    };
    let tags = [text(*b"\xa9xyz", PLACE), text(*b"\xa9nam", TITLE)].concat();
    // The index is the last box: growing it moves nothing.
    let start = file.windows(4).rposition(|window| window == b"moov").expect("an index") - 4;
    file.extend(atom(*b"udta", &tags));
    let length = u32::try_from(file.len() - start).expect("small");
    file[start..start + 4].copy_from_slice(&length.to_be_bytes());
    file
}

fn atom(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(8 + content.len()).expect("small");
    [&length.to_be_bytes(), &kind[..], content].concat()
}

/// A 16-bit WAV with the samples that `sample` gives for each second since the beginning, the same in
/// all channels.
pub fn wav(rate_hz: u32, channels: u16, seconds: f64, sample: impl Fn(f64) -> f64) -> Vec<u8> {
    let frames = (seconds * f64::from(rate_hz)).round() as u32;
    let mut data = Vec::new();
    for frame in 0..frames {
        let value = (sample(f64::from(frame) / f64::from(rate_hz)) * 32_767.0).round() as i16;
        (0..channels).for_each(|_| data.extend(value.to_le_bytes()));
    }
    let mut file = b"RIFF".to_vec();
    let length = u32::try_from(data.len()).expect("small");
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    file.extend(channels.to_le_bytes());
    file.extend(rate_hz.to_le_bytes());
    file.extend((rate_hz * u32::from(channels) * 2).to_le_bytes());
    file.extend((channels * 2).to_le_bytes());
    file.extend(16_u16.to_le_bytes());
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    file.extend(data);
    file
}

/// A voice, more or less: a buzz that comes and goes in syllables; quiet, as phones record.
pub fn voice(seconds: f64) -> Vec<u8> {
    use std::f64::consts::TAU;
    wav(44_100, 1, seconds, |t| {
        let syllables = (TAU * 1.3 * t).sin().abs().sqrt();
        0.03 * syllables * ((TAU * 140.0 * t).sin() + 0.6 * (TAU * 700.0 * t).sin() + 0.3 * (TAU * 2300.0 * t).sin())
    })
}

/// What ffmpeg makes with these arguments, each of which stands for itself. It is written to a pipe: so
/// no header says how long it is.
pub fn made(arguments: &[&str]) -> Vec<u8> {
    let mut ffmpeg = Command::new(tools::ffmpeg().expect("ffmpeg"));
    ffmpeg.args(["-nostdin", "-v", "error"]).args(arguments).arg("pipe:1").stdin(Stdio::null());
    let output = ffmpeg.output().expect("ffmpeg runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A FLAC of 20 kB that unfolds to four hours: 230 MB of samples.
pub fn bomb() -> Vec<u8> {
    let bomb =
        made(&["-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", "14400", "-frame_size", "65535", "-f", "flac"]);
    assert!(bomb.len() < 64 * 1024, "{}", bomb.len());
    bomb
}

/// An MP3 of three hours: a minute in which somebody hums for two seconds, again and again.
pub fn three_hours() -> Vec<u8> {
    let hum = "aevalsrc='0.05*sin(2*PI*200*t)*gt(t,58)':s=8000:d=60";
    let minute = std::env::temp_dir().join(format!("a-minute-{}.mp3", std::process::id()));
    fs::write(&minute, made(&["-f", "lavfi", "-i", hum, "-b:a", "8k", "-f", "mp3"])).expect("written");
    let path = minute.to_str().expect("UTF-8");
    let long = made(&["-stream_loop", "179", "-i", path, "-c", "copy", "-write_xing", "0", "-f", "mp3"]);
    fs::remove_file(&minute).expect("removed");
    long
}

/// What is no recording, and why: name, bytes, the reason that the API gives.
pub fn refused() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let m4a = recording("aac.m4a");
    let mut endless = voice(1.0);
    // It claims 4 GiB.
    endless[40..44].fill(0xff);
    endless[4..8].fill(0xff);
    let mut claimed = voice(1.0);
    claimed[40..44].copy_from_slice(&2_000_000_000_u32.to_le_bytes());
    vec![
        ("text.mp3", "옛날 옛적에".into(), "unsupported_format"),
        ("page.m4a", b"<html><script>alert(1)</script></html>".to_vec(), "unsupported_format"),
        ("playlist.mp3", b"#EXTM3U\nfile:///proc/self/environ\n".to_vec(), "unsupported_format"),
        ("concat.ogg", b"ffconcat version 1.0\nfile /etc/passwd\n".to_vec(), "unsupported_format"),
        ("empty.m4a", Vec::new(), "empty"),
        ("cut.m4a", m4a[..m4a.len() / 2].to_vec(), "truncated"),
        ("cut-index.m4a", located()[..9_000].to_vec(), "truncated"),
        ("silent.mp4", recording("silent-video.mp4"), "no_sound"),
        ("nothing.wav", wav(44_100, 1, 0.0, |_| 0.0), "no_sound"),
        ("long.wav", claimed, "truncated"),
        ("amr.amr", b"#!AMR\nthis is none".to_vec(), "corrupt"),
        ("nine.wav", wav(44_100, 9, 0.1, |_| 0.1), "unsupported_format"),
    ]
}
