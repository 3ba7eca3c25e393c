//! A recording: its renditions have normalized loudness, and its waveform is drawn.

use std::{fmt::Write, io::Cursor, time::Duration};

use anyhow::{Context, Result, ensure};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD},
};
use domain::media::Kind;
use serde_json::Value;
use sound::{Limits, analyse};
use stack::uploads::UploadFile;

use super::{
    format::{indent, list, shorten_urls, size},
    session::Session,
    voice,
};

/// Width of a waveform on a terminal.
const COLUMNS: usize = 80;

/// An uploaded recording.
pub struct Story {
    item: Value,
    duration: Duration,
    original_bytes: usize,
    /// The first rendition.
    rendition: Vec<u8>,
    /// Amplitudes of the waveform, 0 to 255.
    amplitudes: Vec<u8>,
}

/// Uploads a recording and prints its item, waveform and renditions.
pub async fn upload(session: &Session<'_>) -> Result<Story> {
    let bytes = voice::greeting();
    let original_bytes = bytes.len();
    println!("\n■ 안녕하세요.wav  {}, a voice, recorded too quietly", size(original_bytes as u64));
    let name = "안녕하세요.wav";
    let file =
        UploadFile { kind: Kind::Audio, name, content_type: "audio/wav", bytes, visibility: "public", post: None };
    let (_, item, duration) = session.upload(&file, &session.jun).await?;
    ensure!(item["state"] == "ready", "the recording failed: {item}");
    let preview = item["waveform"]["preview"].as_str().context("the item has no waveform preview")?;
    let amplitudes = BASE64_STANDARD_NO_PAD.decode(preview)?;
    println!("\n        {}\n", waveform_line(&amplitudes, COLUMNS));
    let mut rendition = Vec::new();
    for file in list(&item["renditions"]) {
        let url = file["url"].as_str().context("a rendition has no URL")?;
        let bytes = reqwest::get(url).await?.error_for_status()?.bytes().await?.to_vec();
        let measured = analyse(Cursor::new(&bytes), &Limits::default())?.measured;
        let lufs = measured.loudness.integrated_lufs.context("a rendition has no loudness")?;
        let kind = file["type"].as_str().unwrap_or_default();
        println!("              {kind:<34} {:>9}   {lufs:.1} LUFS", size(bytes.len() as u64));
        // The target for mono is 3 dB lower, since two loudspeakers add 3 dB.
        ensure!((lufs + 19.0).abs() < 1.0, "the loudness is not normalized: {lufs} LUFS");
        if rendition.is_empty() {
            rendition = bytes;
        }
    }
    println!("    GET /v1/media/…");
    println!("{}", indent(&shorten_urls(item.clone())));
    Ok(Story { item, duration, original_bytes, rendition, amplitudes })
}

/// A waveform in a line of text.
fn waveform_line(amplitudes: &[u8], columns: usize) -> String {
    const HEIGHTS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let columns = columns.min(amplitudes.len());
    let column = |index: usize| {
        let part = &amplitudes[index * amplitudes.len() / columns..(index + 1) * amplitudes.len() / columns];
        let highest = part.iter().copied().max().unwrap_or(0);
        HEIGHTS[(usize::from(highest) * (HEIGHTS.len() - 1)).div_ceil(255)]
    };
    (0..columns).map(column).collect()
}

impl Story {
    /// The waveform and a player as HTML.
    pub fn figure(&self) -> Result<String> {
        let mut bars = String::new();
        for (index, amplitude) in self.amplitudes.iter().enumerate() {
            let height = (f64::from(*amplitude) / 255.0 * 96.0).max(1.0);
            let top = 50.0 - height / 2.0;
            write!(bars, "<rect x=\"{}\" y=\"{top:.1}\" width=\"3\" height=\"{height:.1}\"/>", index * 4)?;
        }
        let loudness = &self.item["loudness"];
        let mut figure = String::new();
        writeln!(
            figure,
            "<article><h2>안녕하세요</h2><figure><svg viewBox=\"0 0 {} 100\" preserveAspectRatio=\"none\" role=\"img\" \
             aria-label=\"Waveform\" style=\"width:100%;height:6rem;fill:currentColor\">{bars}</svg>\
             <audio controls style=\"width:100%\" src=\"data:audio/mp4;base64,{}\"></audio>\
             <figcaption>{} s of a synthesized voice, ready {} ms after the upload: {} LUFS as recorded, gain {} dB\
             </figcaption></figure>",
            (self.amplitudes.len() * 4).max(1),
            BASE64_STANDARD.encode(&self.rendition),
            self.item["durationMs"].as_f64().unwrap_or_default() / 1000.0,
            self.duration.as_millis(),
            loudness["integratedLufs"],
            loudness["gainDb"],
        )?;
        writeln!(figure, "<table><thead><tr><th>rendition</th><th>size</th></tr></thead><tbody>")?;
        for file in list(&self.item["renditions"]) {
            let kind = file["type"].as_str().unwrap_or_default().replace('"', "&quot;");
            let bytes = size(file["bytes"].as_u64().unwrap_or_default());
            writeln!(figure, "<tr><td>{kind}</td><td>{bytes}</td></tr>")?;
        }
        let original = size(self.original_bytes as u64);
        writeln!(figure, "<tr><td>original</td><td>{original}</td></tr></tbody></table></article>")?;
        Ok(figure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greeting_is_quiet_and_starts_and_ends_with_silence() {
        let analysis = analyse(Cursor::new(voice::greeting()), &Limits::default()).unwrap();
        let lufs = analysis.measured.loudness.integrated_lufs.unwrap();
        assert!((-50.0..-30.0).contains(&lufs), "{lufs} LUFS");
        let line = waveform_line(analysis.measured.waveform.preview(), 120);
        assert_eq!(line.chars().count(), 120);
        assert!(line.contains('█') && line.starts_with("▁▁") && line.ends_with("▁▁"), "{line}");
    }

    #[test]
    fn waveform_line_is_proportional_to_the_amplitudes() {
        assert_eq!(waveform_line(&[0, 255, 1, 128], 4), " █▁▅");
        assert_eq!(waveform_line(&[0, 0, 255, 10], 2), " █");
        assert_eq!(waveform_line(&[], 80), "");
    }
}
