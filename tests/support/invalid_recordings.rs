//! Uploads that are no valid recordings.

use crate::{
    recordings::{recording, tagged_recording},
    wav::{voice, wav},
};

/// Invalid recordings: name, content, and the failure reason in the API.
pub fn invalid_recordings() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let m4a = recording("aac.m4a");
    vec![
        ("text.mp3", "옛날 옛적에".into(), "unsupported_format"),
        ("page.m4a", b"<html><script>alert(1)</script></html>".to_vec(), "unsupported_format"),
        ("playlist.mp3", b"#EXTM3U\nfile:///proc/self/environ\n".to_vec(), "unsupported_format"),
        ("concat.ogg", b"ffconcat version 1.0\nfile /etc/passwd\n".to_vec(), "unsupported_format"),
        ("empty.m4a", Vec::new(), "empty"),
        ("cut.m4a", m4a[..m4a.len() / 2].to_vec(), "truncated"),
        ("cut-index.m4a", tagged_recording()[..9_000].to_vec(), "truncated"),
        ("silent.mp4", recording("silent-video.mp4"), "no_sound"),
        ("nothing.wav", wav(44_100, 1, 0.0, |_| 0.0), "no_sound"),
        ("cut-header.wav", voice(1.0)[..40].to_vec(), "truncated"),
        ("amr.amr", b"#!AMR\nthis is none".to_vec(), "corrupt"),
        ("nine.wav", wav(44_100, 9, 0.1, |_| 0.1), "unsupported_format"),
    ]
}
