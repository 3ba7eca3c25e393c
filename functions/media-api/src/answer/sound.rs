use api::{Loudness, MediaItem, Pause, Rendition, Silence, Waveform, WaveformFile};
use domain::media::{self, File, Sound};
use function_kit::failure::Failure;

use crate::{epoch::Epoch, links::Links};

/// Shows what was made of a recording. What is drawn and played is left out unless `links` are given.
pub async fn show(sound: Sound, links: Option<(&Links, Epoch)>, shown: &mut MediaItem) -> Result<(), Failure> {
    let Sound { duration_ms, codec, rate_hz, channels, loudness, silence, waveform, renditions } = sound;
    shown.duration_ms = Some(duration_ms);
    shown.codec = Some(codec);
    shown.sample_rate = Some(rate_hz);
    shown.channels = Some(channels);
    shown.loudness = Some(loudness_of(&loudness));
    shown.silence = Some(silence_of(silence));
    if let Some((links, epoch)) = links {
        let media::Waveform { preview, json, binary } = waveform;
        // Both kinds at once: files of one item share a signature.
        let drawn = [("application/json", json), ("application/octet-stream", binary)];
        let keys = drawn.iter().map(|(_, File { key, .. })| key.as_str());
        let keys: Vec<_> = keys.chain(renditions.iter().map(|rendition| rendition.file.key.as_str())).collect();
        let mut urls = links.to(&keys, epoch).await?.into_iter();
        let files = drawn.iter().zip(urls.by_ref()).map(|((content_type, file), url)| WaveformFile {
            url,
            bytes: file.size,
            content_type: (*content_type).to_owned(),
        });
        shown.waveform = Some(Waveform { preview, files: files.collect() });
        let renditions = renditions.into_iter().zip(urls).map(|(rendition, url)| Rendition {
            url,
            bytes: rendition.file.size,
            content_type: rendition.content_type,
            channels: rendition.channels,
            sample_rate: rendition.rate_hz,
        });
        shown.renditions = Some(renditions.collect());
    }
    Ok(())
}

fn loudness_of(loudness: &media::Loudness) -> Loudness {
    Loudness {
        integrated_lufs: loudness.integrated_lufs,
        range_lu: loudness.range_lu,
        true_peak_dbtp: loudness.true_peak_dbtp,
        gain_db: loudness.gain_db,
    }
}

fn silence_of(silence: media::Silence) -> Silence {
    let media::Silence { leading_ms, trailing_ms, pauses } = silence;
    let pause = |media::Pause { start_ms, end_ms }| Pause { start_ms, end_ms };
    Silence { leading_ms, trailing_ms, pauses: pauses.into_iter().map(pause).collect() }
}
