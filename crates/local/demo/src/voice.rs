//! A synthesized voice: the five vowels of 안녕하세요, recorded too quietly.

use std::f64::consts::TAU;

use stack::wav;

const RATE_HZ: u32 = 24_000;
/// Start and end of each syllable in seconds, its initial pitch in Hz, and the three formants of its vowel (a, yeo, a, e,
/// yo) in Hz.
const SYLLABLES: [(f64, f64, f64, [f64; 3]); 5] = [
    (0.30, 0.52, 150.0, [790.0, 1_300.0, 2_600.0]),
    (0.56, 0.82, 165.0, [560.0, 1_000.0, 2_500.0]),
    (0.90, 1.08, 155.0, [790.0, 1_350.0, 2_600.0]),
    (1.14, 1.34, 145.0, [500.0, 1_900.0, 2_600.0]),
    (1.38, 1.85, 170.0, [420.0, 800.0, 2_400.0]),
];
const SECONDS: f64 = 2.4;

/// A mono WAV file with 16-bit samples: a quiet voice with noise.
pub fn greeting() -> Vec<u8> {
    let frames = (SECONDS * f64::from(RATE_HZ)) as u32;
    let mut noise = 1_u32;
    let sample = |frame| {
        noise ^= noise << 13;
        noise ^= noise >> 17;
        noise ^= noise << 5;
        let hiss = 0.0005 * (f64::from(noise) / f64::from(u32::MAX) - 0.5);
        let sample = 0.02 * voice(f64::from(frame) / f64::from(RATE_HZ)) + hiss;
        (sample * 32_767.0) as i16
    };
    wav::encode(RATE_HZ, (0..frames).map(sample))
}

/// The harmonics of a falling pitch, weighted by the formants.
fn voice(t: f64) -> f64 {
    let contains = |(from, to, ..): &&(f64, f64, f64, [f64; 3])| (*from..*to).contains(&t);
    let Some((from, to, pitch_hz, formants)) = SYLLABLES.iter().find(contains) else { return 0.0 };
    let within = (t - from) / (to - from);
    let loudness = (within * 12.0).min(1.0) * ((1.0 - within) * 5.0).min(1.0);
    // The phase is the integral of the pitch.
    let phase = pitch_hz * (t - from) * (1.0 - 0.08 * within);
    let harmonic = |number: u32| {
        let hz = pitch_hz * f64::from(number);
        let resonance: f64 = formants.iter().map(|formant| 1.0 / (1.0 + ((hz - formant) / 90.0).powi(2))).sum();
        resonance / f64::from(number).sqrt() * (TAU * f64::from(number) * phase).sin()
    };
    loudness * (1..30).map(harmonic).sum::<f64>()
}
