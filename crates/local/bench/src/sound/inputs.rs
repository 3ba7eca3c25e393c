//! Recordings: synthesized voice and music, encoded by ffmpeg. They are kept for the next run.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::programs::Programs;

/// A signal similar to a voice: a buzz of changing pitch with formants, loudness changes and pauses, and noise.
const VOICE: &str = "0.3*(sin(2*PI*(140+25*sin(2*PI*0.7*t))*t)+0.6*sin(2*PI*(700+90*sin(2*PI*1.1*t))*t)\
    +0.3*sin(2*PI*(2300+300*sin(2*PI*0.9*t))*t)+0.4*(random(1)-0.5))*pow(abs(sin(2*PI*1.3*t)),0.7)\
    *(0.2+0.8*gt(mod(t,7),1.5))+0.003*(random(0)-0.5)";
/// A signal similar to music: repeated decaying chords that differ by channel, and bursts of noise.
const LEFT: &str = "0.2*(sin(2*PI*261.6*t)+sin(2*PI*329.6*t)+sin(2*PI*392*t))*exp(-3*mod(t,0.5))\
    +0.3*(random(0)-0.5)*exp(-20*mod(t,0.5))";
const RIGHT: &str = "0.25*(sin(2*PI*220*t)+sin(2*PI*523.3*t+1)+0.5*sin(2*PI*4186*t))*exp(-2*mod(t,0.75))\
    +0.2*(random(1)-0.5)*exp(-9*mod(t,0.75))";

/// The file name for tables.
pub fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Recordings of ten minutes: stereo music at 48 kHz in every codec, and a mono voice as AAC and MP3.
pub fn long(programs: &Programs, folder: &Path) -> Result<Vec<PathBuf>> {
    let music = source(programs, folder, "music.wav", 60, &[LEFT, RIGHT], "48000")?;
    let voice = source(programs, folder, "voice.wav", 60, &[VOICE], "44100")?;
    let encodings: [(&str, &Path, &[&str]); 7] = [
        ("music.m4a", &music, &["-c:a", "aac", "-b:a", "128k"]),
        ("music.mp3", &music, &["-c:a", "libmp3lame", "-b:a", "128k"]),
        ("voice.m4a", &voice, &["-c:a", "aac", "-b:a", "64k"]),
        ("voice.mp3", &voice, &["-c:a", "libmp3lame", "-q:a", "5"]),
        ("music.flac", &music, &["-c:a", "flac"]),
        ("music.ogg", &music, &["-c:a", "libvorbis"]),
        ("music.opus", &music, &["-c:a", "libopus", "-b:a", "64k"]),
    ];
    let encode = |(name, source, options): (&str, &Path, &[&str])| {
        let path = folder.join(name);
        let source = source.to_string_lossy();
        let arguments = [&["-stream_loop", "9", "-i", &source], options].concat();
        programs.make(&path, &arguments).map(|()| path)
    };
    encodings.into_iter().map(encode).collect()
}

/// Recordings of three hours: those of ten minutes, repeated.
pub fn three_hours(programs: &Programs, folder: &Path) -> Result<Vec<PathBuf>> {
    let repeat = |name: &str| {
        let path = folder.join(format!("long-{name}"));
        let source = folder.join(name);
        let source = source.to_string_lossy();
        programs.make(&path, &["-stream_loop", "17", "-i", &source, "-c", "copy"]).map(|()| path)
    };
    ["music.m4a", "music.mp3"].into_iter().map(repeat).collect()
}

/// Recordings of ten seconds with different sampling rates, channel layouts and levels.
pub fn kinds(programs: &Programs, folder: &Path) -> Result<Vec<PathBuf>> {
    // The signals fade at both ends. For a signal that stops abruptly, the true peaks of the two programs differ by half
    // a decibel.
    const TONE: &str = "0.5*sin(2*PI*11025*t+PI/4)*min(1,20*min(t,10-t))";
    const SWEEP: &str = "0.7*sin(2*PI*(20+470*t)*t)*min(1,20*min(t,10-t))";
    const NOISE: &str = "0.9*(random(0)*2-1)";
    const HUM: &str = "0.3*sin(2*PI*50*t)";
    let kinds: [(&str, &[&str], &str, &[&str]); 14] = [
        ("voice-8k.wav", &[VOICE], "8000", &[]),
        ("voice-16k.flac", &[VOICE], "16000", &[]),
        ("voice-22k.mp3", &[VOICE], "22050", &["-c:a", "libmp3lame", "-q:a", "6"]),
        ("voice-44k.m4a", &[VOICE], "44100", &["-c:a", "aac", "-b:a", "48k"]),
        ("voice-48k.opus", &[VOICE], "48000", &["-c:a", "libopus", "-application", "voip", "-b:a", "20k"]),
        ("music-44k.mp3", &[LEFT, RIGHT], "44100", &["-c:a", "libmp3lame", "-b:a", "160k"]),
        ("music-44k.ogg", &[LEFT, RIGHT], "44100", &["-c:a", "libvorbis"]),
        ("music-48k.m4a", &[LEFT, RIGHT], "48000", &["-c:a", "aac", "-b:a", "96k"]),
        ("music-96k.flac", &[LEFT, RIGHT], "96000", &["-sample_fmt", "s32"]),
        ("music-192k.wav", &[LEFT, RIGHT], "192000", &["-c:a", "pcm_f32le"]),
        ("surround.flac", &[LEFT, RIGHT, VOICE, HUM, LEFT, RIGHT], "48000", &["-channel_layout", "5.1"]),
        ("tone-44k.wav", &[TONE], "44100", &[]),
        ("sweep-48k.wav", &[SWEEP], "48000", &["-c:a", "pcm_s24le"]),
        ("noise-48k.flac", &[NOISE, NOISE], "48000", &[]),
    ];
    let make = |(name, channels, rate, options): (&str, &[&str], &str, &[&str])| {
        let path = folder.join(format!("kind-{name}"));
        let mut arguments = synthesis(channels, rate, 10);
        arguments.extend(options.iter().map(|&option| option.to_owned()));
        programs.make(&path, &arguments).map(|()| path)
    };
    kinds.into_iter().map(make).collect()
}

fn source(
    programs: &Programs,
    folder: &Path,
    name: &str,
    seconds: u32,
    channels: &[&str],
    rate: &str,
) -> Result<PathBuf> {
    let path = folder.join(name);
    programs.make(&path, &synthesis(channels, rate, seconds))?;
    Ok(path)
}

/// Arguments of ffmpeg for a signal with a formula for each channel.
fn synthesis(channels: &[&str], rate: &str, seconds: u32) -> Vec<String> {
    let signal = format!("aevalsrc='{}':s={rate}:d={seconds}", channels.join("|"));
    ["-f", "lavfi", "-i", &signal].map(str::to_owned).to_vec()
}
