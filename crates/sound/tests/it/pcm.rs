//! Samples out of a pipe are measured like those in a file.

use std::io::{self, Cursor, Read};

use sound::{Limits, SoundError, analyse, analyse_pcm};

use crate::synth::{Samples, noise, wav};

/// As a program writes it that cannot go back: the lengths are unknown.
fn piped(mut file: Vec<u8>) -> Vec<u8> {
    file[4..8].fill(0xff);
    file[40..44].fill(0xff);
    file
}

#[test]
fn measures_what_the_file_measures() {
    for channels in [1, 2] {
        let samples: Vec<f32> =
            noise(7, 3 * 44_100 * usize::from(channels)).iter().map(|sample| sample * 0.3).collect();
        let file = wav(44_100, channels, &Samples::F32(&samples));
        let whole = analyse(Cursor::new(&file), &Limits::default()).expect("an analysis");
        // Pipes hand over pieces of any size.
        let stream = Trickle { bytes: piped(file), at: 0 };
        let decoded = analyse_pcm(stream, &Limits::default()).expect("measured");
        assert_eq!((decoded.rate_hz, decoded.channels), (44_100, usize::from(channels)));
        assert_eq!(decoded.measured.frames, whole.frames);
        assert_eq!(decoded.measured.loudness, whole.loudness);
        assert_eq!(decoded.measured.true_peak_dbtp, whole.true_peak_dbtp);
        assert_eq!(decoded.measured.waveform, whole.waveform);
    }
}

#[test]
fn limits_hold_and_nothing_is_guessed() {
    let file = piped(wav(8_000, 1, &Samples::F32(&[0.1; 8_000 * 3])));
    let limits = Limits { max_seconds: 2, ..Limits::default() };
    assert_eq!(analyse_pcm(&file[..], &limits), Err(SoundError::TooLong { max_seconds: 2 }));
    assert_eq!(analyse_pcm(&file[..44], &Limits::default()), Err(SoundError::NoSamples));
    assert_eq!(analyse_pcm(&file[..20], &Limits::default()), Err(SoundError::NoSamples));
    assert_eq!(analyse_pcm(&b""[..], &Limits::default()), Err(SoundError::NoSamples));
    for bytes in [&b"RIFF\0\0\0\0AVI LIST"[..], b"fLaC", &wav(8_000, 1, &Samples::I16(&[1; 100]))] {
        let code = analyse_pcm(bytes, &Limits::default()).expect_err("an error").code();
        assert_eq!(code, "corrupt", "{bytes:?}");
    }
}

/// Hands over 1, 2, 3, … bytes at a time.
struct Trickle {
    bytes: Vec<u8>,
    at: usize,
}

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = (1 + self.at % 4_099).min(buffer.len()).min(self.bytes.len() - self.at);
        buffer[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
