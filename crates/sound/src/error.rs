use thiserror::Error;

/// Why a recording was not analysed.
///
/// The message is for operators; what clients are told is up to the caller, by the variant.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SoundError {
    /// There are no bytes.
    #[error("the file is empty")]
    Empty,
    /// The content is no audio or video that is known.
    #[error("not an audio file")]
    NotAudio,
    /// There is (or may be) sound in it, but not in a form that is decoded here: HE-AAC, AMR,
    /// Matroska and the like. A caller that has another decoder should try that.
    #[error("needs another decoder: {0}")]
    NeedsOtherDecoder(String),
    /// A video or a container without a track of sound.
    #[error("the file has no audio track")]
    NoAudioTrack,
    /// There is a track of sound, but not a single sample in it.
    #[error("the audio track holds no samples")]
    NoSamples,
    /// More seconds than [`Limits`](crate::Limits) allow.
    #[error("longer than the {max_seconds} s allowed")]
    TooLong {
        /// The limit that was exceeded, in seconds.
        max_seconds: u32,
    },
    /// More samples in all than [`Limits`](crate::Limits) allow.
    #[error("more than the {max_samples} samples allowed")]
    TooManySamples {
        /// The limit that was exceeded, over all channels.
        max_samples: u64,
    },
    /// More channels than [`Limits`](crate::Limits) allow.
    #[error("{channels} channels are more than the {max_channels} allowed")]
    TooManyChannels {
        /// What the file has.
        channels: usize,
        /// The limit that was exceeded.
        max_channels: usize,
    },
    /// A sampling rate outside of what [`Limits`](crate::Limits) allow.
    #[error("{rate_hz} Hz is no sampling rate from {min_rate_hz} to {max_rate_hz} Hz")]
    RateOutOfRange {
        /// What the file has, in Hz.
        rate_hz: u32,
        /// The lowest allowed, in Hz.
        min_rate_hz: u32,
        /// The highest allowed, in Hz.
        max_rate_hz: u32,
    },
    /// The file ends before the recording does: most often one whose recorder died.
    #[error("the file ends before the recording does")]
    Truncated,
    /// The file contradicts itself or its format.
    #[error("the file is damaged: {0}")]
    Corrupt(String),
    /// The source failed, not the recording: trying again may help.
    #[error("cannot read the source: {message}")]
    Source {
        /// What kind of failure.
        kind: std::io::ErrorKind,
        /// Its message.
        message: String,
    },
}

impl SoundError {
    /// A short name of the kind, without what is particular to one file.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NotAudio => "not_audio",
            Self::NeedsOtherDecoder(_) => "needs_other_decoder",
            Self::NoAudioTrack => "no_audio_track",
            Self::NoSamples => "no_samples",
            Self::TooLong { .. } => "too_long",
            Self::TooManySamples { .. } => "too_many_samples",
            Self::TooManyChannels { .. } => "too_many_channels",
            Self::RateOutOfRange { .. } => "rate_out_of_range",
            Self::Truncated => "truncated",
            Self::Corrupt(_) => "corrupt",
            Self::Source { .. } => "source",
        }
    }

    pub(crate) fn corrupt(reason: impl ToString) -> Self {
        Self::Corrupt(reason.to_string())
    }

    pub(crate) fn other_decoder(what: impl ToString) -> Self {
        Self::NeedsOtherDecoder(what.to_string())
    }

    pub(crate) fn source(error: &std::io::Error) -> Self {
        Self::Source { kind: error.kind(), message: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_stable() {
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
