//! The decoders that ffmpeg may open, by input format. None decodes pictures, video or subtitles.

/// Samples without compression, and with the simplest.
const PCM: &str = "pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_s64le,pcm_s64be,\
    pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw";
/// What phones and recorders write into WAV beside PCM.
const OF_WAV: &str = "adpcm_ms,adpcm_ima_wav,adpcm_yamaha,g722,g726,gsm_ms,mp3float,mp2float,aac";
/// What phones, cameras and QuickTime write into MP4 and CAF beside PCM.
const OF_MP4: &str = "aac,alac,mp3float,mp2float,ac3,eac3,opus,libopus,flac,amrnb,amrwb,qcelp,evrc,adpcm_ima_qt,\
    adpcm_ima_wav,adpcm_ms,ilbc,gsm,gsm_ms,qdm2,mace3,mace6";
const OF_OGG: &str = "opus,libopus,vorbis,flac,speex";
const OF_MATROSKA: &str = "opus,libopus,vorbis,aac,mp3float,mp2float,flac,alac,ac3,eac3";
/// What AIFF-C may hold beside PCM.
const OF_AIFF: &str = "adpcm_ima_qt,g722,gsm,mace3,mace6,qdm2";

/// ffmpeg's list of decoders for a demuxer of [`demuxer`](super::demuxer). Empty for others: ffmpeg then opens none.
///
/// While it probes, ffmpeg opens the decoder of each track, also of those that `-vn` leaves out. Only this list stops it.
pub(super) fn decoders(demuxer: &str) -> String {
    match demuxer {
        "wav" => [PCM, OF_WAV].join(","),
        "mov" | "caf" => [PCM, OF_MP4].join(","),
        "aiff" => [PCM, OF_AIFF].join(","),
        "matroska" => [PCM, OF_MATROSKA].join(","),
        "ogg" => OF_OGG.to_owned(),
        "flac" => "flac".to_owned(),
        "mp3" => "mp3float,mp2float,mp1float".to_owned(),
        "aac" => "aac".to_owned(),
        "amr" => "amrnb,amrwb".to_owned(),
        _ => "none".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use sound::{Container, FileFormat, OtherFormat};

    use super::*;
    use crate::ffmpeg::demuxer;

    #[test]
    fn each_input_format_has_decoders_of_sound_only() {
        use Container::{Adts, Flac, Mp4, Mpeg, Ogg, Wav};
        use OtherFormat::{Aiff, Amr, Caf, Matroska, MpegLayer1, MpegLayer2};
        let formats = [Wav, Flac, Ogg, Mp4, Mpeg, Adts].map(FileFormat::Supported).into_iter();
        let others = [Amr, Matroska, Aiff, Caf, MpegLayer1, MpegLayer2].map(FileFormat::Other);
        for format in formats.chain(others) {
            let list = decoders(demuxer(format).expect("a demuxer"));
            assert!(list != "none" && !list.contains(char::is_whitespace), "{format:?}: {list}");
            for picture in ["h264", "hevc", "mjpeg", "png", "mpeg4", "vp8", "vp9", "av1", "theora", "mov_text", "ass"] {
                assert!(list.split(',').all(|decoder| decoder != picture), "{format:?}: {picture}");
            }
        }
        assert_eq!(decoders("hls"), "none");
    }
}
