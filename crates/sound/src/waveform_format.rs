use std::io::{self, Write};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};

/// The most points of a [`Waveform::preview`].
pub const PREVIEW_POINTS: usize = 200;

/// The waveform of a recording for drawing, in the formats of BBC's audiowaveform, version 2
/// (<https://github.com/bbc/audiowaveform/blob/master/doc/DataFormat.md>). peaks.js and wavesurfer.js read it.
///
/// Each point is the lowest and the highest sample **of all channels** in a stretch. A mix of the channels
/// would lose sound in opposite phases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waveform {
    rate_hz: u32,
    frames_per_point: u32,
    /// Lowest and highest sample; full scale is ±128.
    points: Vec<[i8; 2]>,
    preview: Vec<u8>,
}

impl Waveform {
    pub(crate) fn new(rate_hz: u32, frames_per_point: u32, spans: &[(f32, f32)]) -> Self {
        let points = spans.iter().map(|&(low, high)| [quantise(low), quantise(high)]).collect();
        Self { rate_hz, frames_per_point, points, preview: preview(spans) }
    }

    /// Lowest and highest sample of each stretch, in time order, from −128 to 127.
    pub fn points(&self) -> &[[i8; 2]] {
        &self.points
    }

    /// Samples per channel in a stretch; the last stretch may have fewer.
    pub fn frames_per_point(&self) -> u32 {
        self.frames_per_point
    }

    /// At most [`PREVIEW_POINTS`] amplitudes from 0 to 255, small enough for a table item. The highest is 255,
    /// so that a quiet recording does not look empty. In digital silence all are 0.
    pub fn preview(&self) -> &[u8] {
        &self.preview
    }

    /// [`Self::preview`] as base64 without padding: at most 267 characters.
    pub fn preview_base64(&self) -> String {
        STANDARD_NO_PAD.encode(&self.preview)
    }

    /// Writes audiowaveform's JSON format.
    ///
    /// # Errors
    /// The errors of `to`.
    pub fn write_json(&self, mut to: impl Write) -> io::Result<()> {
        write!(
            to,
            r#"{{"version":2,"channels":1,"sample_rate":{},"samples_per_pixel":{},"bits":8,"length":{},"data":["#,
            self.rate_hz,
            self.frames_per_point,
            self.points.len()
        )?;
        for (index, [low, high]) in self.points.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(to, "{comma}{low},{high}")?;
        }
        to.write_all(b"]}")
    }

    /// Writes audiowaveform's binary format. It has a third to a quarter of the size of the JSON.
    ///
    /// # Errors
    /// The errors of `to`.
    pub fn write_binary(&self, mut to: impl Write) -> io::Result<()> {
        const VERSION: u32 = 2;
        const EIGHT_BITS: u32 = 1;
        const CHANNELS: u32 = 1;
        let length = u32::try_from(self.points.len()).map_err(io::Error::other)?;
        for field in [VERSION, EIGHT_BITS, self.rate_hz, self.frames_per_point, length, CHANNELS] {
            to.write_all(&field.to_le_bytes())?;
        }
        let bytes: Vec<u8> = self.points.as_flattened().iter().flat_map(|value| value.to_le_bytes()).collect();
        to.write_all(&bytes)
    }
}

fn quantise(sample: f32) -> i8 {
    // The cast saturates.
    (sample * 128.0).round() as i8
}

fn preview(spans: &[(f32, f32)]) -> Vec<u8> {
    let count = spans.len().min(PREVIEW_POINTS);
    let amplitude = |&(low, high): &(f32, f32)| high.max(-low);
    let highest = spans.iter().map(amplitude).fold(0.0, f32::max);
    let scale = if highest > 0.0 { 255.0 / highest } else { 0.0 };
    let point = |index: usize| {
        let stretch = &spans[index * spans.len() / count..(index + 1) * spans.len() / count];
        (stretch.iter().map(amplitude).fold(0.0, f32::max) * scale).round() as u8
    };
    (0..count).map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waveform_is_written_in_the_formats_of_audiowaveform() {
        let waveform = Waveform::new(48_000, 512, &[(-1.0, 1.0), (0.0, 0.5), (-0.25, 2.0)]);
        let mut json = Vec::new();
        waveform.write_json(&mut json).expect("writing to memory");
        let expected = r#"{"version":2,"channels":1,"sample_rate":48000,"samples_per_pixel":512,"bits":8,"length":3,"data":[-128,127,0,64,-32,127]}"#;
        assert_eq!(String::from_utf8(json).expect("UTF-8"), expected);

        let mut binary = Vec::new();
        waveform.write_binary(&mut binary).expect("writing to memory");
        assert_eq!(binary.len(), 24 + 6);
        assert_eq!(binary[..8], [2, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(binary[8..16], [0x80, 0xbb, 0, 0, 0, 2, 0, 0]);
        assert_eq!(binary[16..24], [3, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(binary[24..], [0x80, 0x7f, 0, 64, 0xe0, 0x7f]);
    }

    #[test]
    fn preview_is_short_and_scaled_to_the_highest_point() {
        let spans: Vec<_> = (0..12_345).map(|i| (-0.01 * (i % 100) as f32 / 99.0, 0.001)).collect();
        let waveform = Waveform::new(48_000, 512, &spans);
        assert_eq!(waveform.preview().len(), PREVIEW_POINTS);
        assert_eq!(waveform.preview().iter().max(), Some(&255));
        assert!(waveform.preview_base64().len() <= 267);
        assert_eq!(Waveform::new(48_000, 512, &[(0.0, 0.0); 3]).preview(), [0, 0, 0]);
        assert!(Waveform::new(48_000, 512, &[]).preview().is_empty());
    }
}
