//! Compares waveforms with a reference computed sample by sample.

use serde_json::Value;
use sound::Analysis;

use crate::signals::{Samples, analysed, noise, wav};

/// The lowest and the highest sample of all channels for each stretch.
fn reference(samples: &[i16], channels: usize, frames_per_point: usize) -> Vec<[i8; 2]> {
    let quantised = |sample: i16| (f32::from(sample) / 256.0).round().clamp(-128.0, 127.0) as i8;
    let point = |stretch: &[i16]| {
        let (low, high) = (stretch.iter().min().unwrap(), stretch.iter().max().unwrap());
        [quantised(*low), quantised(*high)]
    };
    samples.chunks(frames_per_point * channels).map(point).collect()
}

fn json(analysis: &Analysis) -> Value {
    let mut bytes = Vec::new();
    analysis.measured.waveform.write_json(&mut bytes).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn waveform_points_equal_the_reference() {
    for (channels, frames) in [(1, 1), (1, 255), (1, 256), (2, 257), (1, 100_003), (2, 70_000), (3, 33_333)] {
        let shape = |(i, value): (usize, f32)| (value * 32_767.0 * (i as f32 / 9_000.0).sin()) as i16;
        let samples: Vec<_> = noise(7, frames * channels).into_iter().enumerate().map(shape).collect();
        let analysis = analysed(wav(44_100, channels as u16, &Samples::I16(&samples))).unwrap();
        let waveform = &analysis.measured.waveform;
        assert_eq!(waveform.frames_per_point(), 256);
        assert_eq!(waveform.points(), reference(&samples, channels, 256), "{channels} × {frames}");

        let json = json(&analysis);
        assert_eq!(json["length"], waveform.points().len());
        assert_eq!(json["samples_per_pixel"], 256);
        let flat: Vec<i64> = json["data"].as_array().unwrap().iter().map(|value| value.as_i64().unwrap()).collect();
        let points: Vec<i64> = waveform.points().as_flattened().iter().map(|&value| value.into()).collect();
        assert_eq!(flat, points);
    }
}

#[test]
fn long_recording_has_at_most_max_points() {
    let samples: Vec<_> = noise(3, 300_000).into_iter().map(|value| (value * 20_000.0) as i16).collect();
    let limits = sound::Limits { max_points: 100, ..Default::default() };
    let file = wav(8_000, 1, &Samples::I16(&samples));
    let analysis = sound::analyse(std::io::Cursor::new(file), &limits).unwrap();
    assert_eq!(analysis.measured.waveform.frames_per_point(), 4096);
    assert_eq!(analysis.measured.waveform.points(), reference(&samples, 1, 4096));
    assert_eq!(analysis.measured.waveform.preview().len(), 74);
}

#[test]
fn preview_has_at_most_200_points() {
    let analysis = analysed(crate::signals::fixture("aac.m4a")).unwrap();
    assert_eq!(analysis.measured.waveform.preview().len(), 200);
    assert!(analysis.measured.waveform.preview_base64().len() <= 400);
}
