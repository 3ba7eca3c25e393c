use thiserror::Error;

/// A recording that cannot be analysed.
///
/// The message is for operators. Callers choose the client's message by the variant.
#[derive(Debug, Clone, PartialEq, Eq, Error, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum SoundError {
    /// The file has no bytes.
    #[error("the file is empty")]
    Empty,
    /// The content is not a known audio or video format.
    #[error("not an audio file")]
    NotAudio,
    /// The file contains, or may contain, sound in a format that this crate does not decode, such as HE-AAC,
    /// AMR or Matroska. Another decoder may succeed.
    #[error("needs another decoder: {0}")]
    NeedsOtherDecoder(String),
    /// A video or a container without an audio track.
    #[error("the file has no audio track")]
    NoAudioTrack,
    /// The audio track has no samples.
    #[error("the audio track holds no samples")]
    NoSamples,
    /// Longer than [`Limits`](crate::Limits) allow.
    #[error("longer than the {max_seconds} s allowed")]
    TooLong {
        /// The exceeded limit, in seconds.
        max_seconds: u32,
    },
    /// More samples in total than [`Limits`](crate::Limits) allow.
    #[error("more than the {max_samples} samples allowed")]
    TooManySamples {
        /// The exceeded limit, over all channels.
        max_samples: u64,
    },
    /// More channels than [`Limits`](crate::Limits) allow.
    #[error("{channels} channels are more than the {max_channels} allowed")]
    TooManyChannels {
        /// The channels of the file.
        channels: usize,
        /// The exceeded limit.
        max_channels: usize,
    },
    /// A sampling rate outside [`Limits`](crate::Limits).
    #[error("the sampling rate {rate_hz} Hz is not between {min_rate_hz} and {max_rate_hz} Hz")]
    RateOutOfRange {
        /// The rate of the file, in Hz.
        rate_hz: u32,
        /// The lowest allowed rate, in Hz.
        min_rate_hz: u32,
        /// The highest allowed rate, in Hz.
        max_rate_hz: u32,
    },
    /// The file ends before the recording does, for example because the recorder crashed.
    #[error("the file ends before the recording does")]
    Truncated,
    /// The file violates its format.
    #[error("the file is damaged: {0}")]
    Corrupt(String),
    /// Reading the source failed. A retry may help.
    #[error("cannot read the source: {message}")]
    Source {
        /// The kind of the I/O error.
        kind: std::io::ErrorKind,
        /// The message of the I/O error.
        message: String,
    },
}

impl SoundError {
    /// A stable code of the variant.
    pub fn code(&self) -> &'static str {
        self.into()
    }

    pub(crate) fn corrupt(reason: impl ToString) -> Self {
        Self::Corrupt(reason.to_string())
    }

    pub(crate) fn other_decoder(format: impl ToString) -> Self {
        Self::NeedsOtherDecoder(format.to_string())
    }

    pub(crate) fn source(error: &std::io::Error) -> Self {
        Self::Source { kind: error.kind(), message: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_codes_are_stable() {
        let codes = [
            (SoundError::Empty, "empty"),
            (SoundError::NotAudio, "not_audio"),
            (SoundError::other_decoder(""), "needs_other_decoder"),
            (SoundError::NoAudioTrack, "no_audio_track"),
            (SoundError::NoSamples, "no_samples"),
            (SoundError::TooLong { max_seconds: 1 }, "too_long"),
            (SoundError::TooManySamples { max_samples: 1 }, "too_many_samples"),
            (SoundError::TooManyChannels { channels: 2, max_channels: 1 }, "too_many_channels"),
            (SoundError::RateOutOfRange { rate_hz: 1, min_rate_hz: 2, max_rate_hz: 3 }, "rate_out_of_range"),
            (SoundError::Truncated, "truncated"),
            (SoundError::corrupt(""), "corrupt"),
            (SoundError::source(&std::io::Error::other("")), "source"),
        ];
        for (error, code) in codes {
            assert_eq!(error.code(), code);
        }
    }
}
