use sound::{Container, FileFormat, OtherFormat};

/// The content type of a recording by its bytes; `None` for a format without a common name.
pub fn content_type(format: FileFormat) -> Option<&'static str> {
    Some(match format {
        FileFormat::Supported(Container::Wav) => "audio/wav",
        FileFormat::Supported(Container::Flac) => "audio/flac",
        FileFormat::Supported(Container::Ogg) => "audio/ogg",
        FileFormat::Supported(Container::Mp4) => "audio/mp4",
        FileFormat::Supported(Container::Mpeg)
        | FileFormat::Other(OtherFormat::MpegLayer1 | OtherFormat::MpegLayer2) => "audio/mpeg",
        FileFormat::Supported(Container::Adts) => "audio/aac",
        FileFormat::Other(OtherFormat::Amr) => "audio/amr",
        FileFormat::Other(OtherFormat::Matroska) => "audio/webm",
        FileFormat::Other(OtherFormat::Aiff) => "audio/aiff",
        FileFormat::Other(OtherFormat::Caf) => "audio/x-caf",
        FileFormat::Other(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use domain::{media::Kind, upload::content_types};

    use super::*;

    #[test]
    fn content_type_of_each_container_is_an_accepted_one() {
        use Container::{Adts, Flac, Mp4, Mpeg, Ogg, Wav};
        for container in [Wav, Flac, Ogg, Mp4, Mpeg, Adts] {
            let content_type = content_type(FileFormat::Supported(container)).expect("a type");
            assert!(content_types(Kind::Audio).contains(&content_type), "{container:?}");
        }
        assert_eq!(content_type(FileFormat::Other(OtherFormat::Named("MIDI"))), None);
    }
}
