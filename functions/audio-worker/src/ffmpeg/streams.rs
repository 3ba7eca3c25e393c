//! Parses the audio tracks that ffmpeg prints.

/// An audio track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioTrack {
    /// The codec, by ffmpeg's name.
    pub codec: String,
    /// Whether ffmpeg has a decoder.
    pub is_decodable: bool,
}

/// Parses lines such as `  Stream #0:1[0x2](und): Audio: aac (HE-AAC) (mp4a / 0x6134706D), 48000 Hz, stereo, fltp, …`.
pub(super) fn audio_tracks(stderr: &str) -> Vec<AudioTrack> {
    let descriptions = stderr.lines().filter_map(|line| {
        let line = line.trim_start();
        Some(line.strip_prefix("Stream #0:")?.split_once(": Audio: ")?.1)
    });
    descriptions
        .map(|description| AudioTrack { codec: codec(description), is_decodable: is_decodable(description) })
        .collect()
}

fn codec(description: &str) -> String {
    let name: String = description.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    match &name[..] {
        "aac" if description.starts_with("aac (HE-AAC") => "he_aac".to_owned(),
        "aac" => "aac_lc".to_owned(),
        name if name.starts_with("pcm_") => "pcm".to_owned(),
        _ => name,
    }
}

/// ffmpeg prints the format of the decoded samples only if it has a decoder.
fn is_decodable(description: &str) -> bool {
    const FORMATS: [&str; 6] = ["u8", "s16", "s32", "s64", "flt", "dbl"];
    description.split(", ").skip(1).any(|field| {
        // Bits per sample may follow: `s32 (24 bit)`.
        let name = field.split(' ').next().unwrap_or_default();
        FORMATS.contains(&name.strip_suffix('p').unwrap_or(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codec_is_parsed_from_the_stream_line() {
        let stderr = "Input #0, mov, from 'x':\n  Duration: 00:00:01.00\n  Stream #0:0[0x1](und): Video: h264, yuv420p\n  \
            Stream #0:1[0x2](und): Audio: aac (HE-AACv2) (mp4a / 0x6134706D), 48000 Hz, stereo, fltp\n";
        let track = |codec: &str| AudioTrack { codec: codec.to_owned(), is_decodable: true };
        assert_eq!(audio_tracks(stderr), [track("he_aac")]);
        let line = |rest: &str| audio_tracks(&format!("  Stream #0:0: Audio: {rest}"));
        assert_eq!(line("amr_nb (amrnb) (samr / 0x726D6173), 8000 Hz, mono, flt"), [track("amr_nb")]);
        assert_eq!(line("aac (LC), 24000 Hz, mono, fltp"), [track("aac_lc")]);
        assert_eq!(line("pcm_s24be, 48000 Hz, stereo, s32 (24 bit), 2304 kb/s"), [track("pcm")]);
        assert_eq!(audio_tracks("  Stream #0:0: Video: h264\nAt least one output file must be specified"), []);
        // A metadata tag, not a stream.
        assert_eq!(audio_tracks("    title : Stream #0: Audio: mp3, s16"), []);
    }

    #[test]
    fn track_without_decoder_has_no_sample_format() {
        let stderr = "  Stream #0:0[0x1](und): Audio: apple_apac (apac / 0x63617061), 44100 Hz, mono, 63 kb/s (default)\n  \
            Stream #0:1[0x2](und): Audio: aac (LC) (mp4a / 0x6134706D), 44100 Hz, mono, fltp, 48 kb/s\n";
        let decodable: Vec<_> = audio_tracks(stderr).iter().map(|track| track.is_decodable).collect();
        assert_eq!(decodable, [false, true]);
        assert!(!audio_tracks("Stream #0:0: Audio: none (ac-4 / 0x342D6361), 48000 Hz, stereo")[0].is_decodable);
    }
}
