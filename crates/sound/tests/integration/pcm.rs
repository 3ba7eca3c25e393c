//! Samples from a pipe are measured like those in a file.

use std::io::{self, Cursor, Read};

use sound::{Limits, SoundError, analyse, analyse_pcm};

use crate::signals::{Samples, noise, wav};

/// Sets the lengths to "unknown", like a program that writes to a pipe.
fn piped(mut file: Vec<u8>) -> Vec<u8> {
    file[4..8].fill(0xff);
    file[40..44].fill(0xff);
    file
}

#[test]
fn pcm_stream_measures_like_the_file() {
    for channels in [1, 2] {
        let samples: Vec<f32> =
            noise(7, 3 * 44_100 * usize::from(channels)).iter().map(|sample| sample * 0.3).collect();
        let file = wav(44_100, channels, &Samples::F32(&samples));
        let whole = analyse(Cursor::new(&file), &Limits::default()).expect("an analysis");
        // A pipe returns chunks of any size.
        let stream = SmallReads { bytes: piped(file), at: 0 };
        let decoded = analyse_pcm(stream, &Limits::default()).expect("an analysis");
        assert_eq!((decoded.rate_hz, decoded.channels), (44_100, usize::from(channels)));
        assert_eq!(decoded.measured.frames, whole.measured.frames);
        assert_eq!(decoded.measured.loudness, whole.measured.loudness);
        assert_eq!(decoded.measured.true_peak_dbtp, whole.measured.true_peak_dbtp);
        assert_eq!(decoded.measured.waveform, whole.measured.waveform);
    }
}

#[test]
fn pcm_stream_beyond_limits_or_of_other_format_is_rejected() {
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

/// Returns 1, 2, 3, … bytes at a time.
struct SmallReads {
    bytes: Vec<u8>,
    at: usize,
}

impl Read for SmallReads {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = (1 + self.at % 4_099).min(buffer.len()).min(self.bytes.len() - self.at);
        buffer[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
