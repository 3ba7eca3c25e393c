//! The synthetic test signals of EBU Tech 3341 (version 4.0, table 1) and Tech 3342 (table 1).

use crate::signals::{measured, noise, sine};

const RATE_HZ: u32 = 48_000;
const STEREO: [f64; 2] = [1.0, 1.0];

/// Parts of a tone: level in dBFS, duration in seconds.
type Parts = [(f64, f64)];

/// Tones of 1 kHz.
fn tones(parts: &Parts) -> Vec<f32> {
    parts.iter().flat_map(|&(dbfs, seconds)| sine(RATE_HZ, 1000.0, dbfs, 0.0, seconds)).collect()
}

fn silence(seconds: f64) -> Vec<f32> {
    vec![0.0; (seconds * f64::from(RATE_HZ)).round() as usize]
}

fn assert_close(case: &str, measured: Option<f64>, expected: f64, tolerance: f64) {
    let measured = measured.unwrap();
    assert!((measured - expected).abs() <= tolerance, "{case}: {measured}, not {expected}");
}

#[test]
fn integrated_loudness_of_tech_3341_signals_is_within_tolerance() {
    let cases: [(&str, &Parts, f64); 5] = [
        ("1", &[(-23.0, 20.0)], -23.0),
        ("2", &[(-33.0, 20.0)], -33.0),
        ("3", &[(-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)], -23.0),
        ("4", &[(-72.0, 10.0), (-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0), (-72.0, 10.0)], -23.0),
        ("5", &[(-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)], -23.0),
    ];
    for (case, parts, lufs) in cases {
        let tone = tones(parts);
        let found = measured(RATE_HZ, &STEREO, &[&tone, &tone]).loudness;
        assert_close(case, found.integrated_lufs, lufs, 0.1);
        if parts.len() == 1 {
            assert_close(case, found.max_momentary_lufs, lufs, 0.1);
            assert_close(case, found.max_short_term_lufs, lufs, 0.1);
        }
    }
}

#[test]
fn integrated_loudness_of_surround_signal_is_within_tolerance() {
    let channel = |dbfs| tones(&[(dbfs, 20.0)]);
    let (front, centre, rear) = (channel(-28.0), channel(-24.0), channel(-30.0));
    let planes = [&front[..], &front, &centre, &rear, &rear];
    let found = measured(RATE_HZ, &[1.0, 1.0, 1.0, 1.41, 1.41], &planes);
    assert_close("6", found.loudness.integrated_lufs, -23.0, 0.1);
}

#[test]
fn short_term_and_momentary_loudness_of_bursts_are_within_tolerance() {
    let tone = tones(&[(-20.0, 1.34), (-30.0, 1.66)].repeat(5));
    assert_close("9", measured(RATE_HZ, &STEREO, &[&tone, &tone]).loudness.max_short_term_lufs, -23.0, 0.1);
    let tone = tones(&[(-20.0, 0.18), (-30.0, 0.22)].repeat(25));
    assert_close("12", measured(RATE_HZ, &STEREO, &[&tone, &tone]).loudness.max_momentary_lufs, -23.0, 0.1);
}

#[test]
fn loudest_stretch_at_any_start_is_within_tolerance() {
    for i in 0..20 {
        let tone = [silence(f64::from(i) * 0.15), tones(&[(-23.0, 3.0)]), silence(1.0)].concat();
        assert_close(
            &format!("10.{i}"),
            measured(RATE_HZ, &STEREO, &[&tone, &tone]).loudness.max_short_term_lufs,
            -23.0,
            0.1,
        );
        let tone = [silence(f64::from(i) * 0.02), tones(&[(-23.0, 0.4)]), silence(1.0)].concat();
        assert_close(
            &format!("13.{i}"),
            measured(RATE_HZ, &STEREO, &[&tone, &tone]).loudness.max_momentary_lufs,
            -23.0,
            0.1,
        );
    }
}

#[test]
fn true_peak_of_tech_3341_signals_is_within_tolerance() {
    let fs = f64::from(RATE_HZ);
    // Case, frequency, phase in degrees, amplitude, true peak in dBTP.
    let cases = [
        ("15", fs / 4.0, 0.0, 0.5, -6.0),
        ("16", fs / 4.0, 45.0, 0.5, -6.0),
        ("17", fs / 6.0, 60.0, 0.5, -6.0),
        ("18", fs / 8.0, 67.5, 0.5, -6.0),
        ("19", fs / 4.0, 45.0, 1.41, 3.0),
    ];
    for (case, hz, degrees, amplitude, dbtp) in cases {
        let mut tone = sine(RATE_HZ, hz, 20.0 * f64::log10(amplitude), degrees / 360.0, 1.0);
        // Fades in and out, because a step would add its own peak.
        let frames = tone.len();
        for (frame, sample) in tone.iter_mut().enumerate() {
            *sample *= (frame.min(frames - 1 - frame) as f32 / 4800.0).min(1.0);
        }
        let found = measured(RATE_HZ, &STEREO, &[&tone, &tone]).true_peak_dbtp.unwrap();
        assert!((-0.4..=0.2).contains(&(found - dbtp)), "{case}: {found}, not {dbtp}");
    }
}

#[test]
fn loudness_range_of_tech_3342_signals_is_within_tolerance() {
    let cases: [(&str, &Parts, f64); 4] = [
        ("1", &[(-20.0, 20.0), (-30.0, 20.0)], 10.0),
        ("2", &[(-20.0, 20.0), (-15.0, 20.0)], 5.0),
        ("3", &[(-40.0, 20.0), (-20.0, 20.0)], 20.0),
        ("4", &[(-50.0, 20.0), (-35.0, 20.0), (-20.0, 20.0), (-35.0, 20.0), (-50.0, 20.0)], 15.0),
    ];
    for (case, parts, lu) in cases {
        let tone = tones(parts);
        assert_close(case, measured(RATE_HZ, &STEREO, &[&tone, &tone]).loudness.range_lu, lu, 1.0);
    }
}

#[test]
fn loudness_of_noise_at_all_rates_equals_the_crate_ebur128() {
    for rate_hz in [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000] {
        let frames = 5 * rate_hz as usize + 123;
        let envelope = |frame: usize| 0.02 + 0.5 * (frame as f32 / rate_hz as f32 * 2.1).sin().powi(2);
        let shaped = |seed| noise(seed, frames).iter().enumerate().map(|(i, v)| v * envelope(i)).collect::<Vec<_>>();
        let (left, right) = (shaped(1), shaped(2));
        let found = measured(rate_hz, &STEREO, &[&left, &right]).loudness;

        let modes = ebur128::Mode::I | ebur128::Mode::LRA;
        let mut other = ebur128::EbuR128::new(2, rate_hz, modes).unwrap();
        other.add_frames_planar_f32(&[&left, &right]).unwrap();
        assert_close(&format!("{rate_hz} Hz"), found.integrated_lufs, other.loudness_global().unwrap(), 0.01);
        // ebur128 takes a short-term window every second, this crate every 100 ms.
        assert_close(&format!("{rate_hz} Hz"), found.range_lu, other.loudness_range().unwrap(), 1.0);
    }
}
