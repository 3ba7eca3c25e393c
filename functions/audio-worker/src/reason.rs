use domain::media::Reason;
use sound::SoundError;

/// The reason that clients see; `None` if the error is not a property of the recording.
pub fn reason(error: &SoundError) -> Option<Reason> {
    match error {
        SoundError::Empty => Some(Reason::Empty),
        SoundError::NotAudio
        | SoundError::NeedsOtherDecoder(_)
        | SoundError::TooManyChannels { .. }
        | SoundError::RateOutOfRange { .. } => Some(Reason::UnsupportedFormat),
        SoundError::NoAudioTrack | SoundError::NoSamples => Some(Reason::NoSound),
        SoundError::TooLong { .. } | SoundError::TooManySamples { .. } => Some(Reason::TooLong),
        SoundError::Truncated => Some(Reason::Truncated),
        SoundError::Corrupt(_) => Some(Reason::Corrupt),
        SoundError::Source { .. } => None,
    }
}
