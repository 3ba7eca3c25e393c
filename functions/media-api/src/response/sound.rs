use api::{Loudness, MediaItem, Pause, Rendition, Silence, Waveform, WaveformFile};
use domain::media::{self, File, Sound};
use function_kit::failure::Failure;

use crate::{link_window::LinkWindow, links::Links};

/// Fills in the fields of a recording. Waveform and renditions are left out unless `links` are given.
pub async fn fill_in(
    sound: Sound,
    links: Option<(&Links, LinkWindow)>,
    response: &mut MediaItem,
) -> Result<(), Failure> {
    let Sound { duration_ms, codec, rate_hz, channels, loudness, silence, waveform, renditions } = sound;
    response.duration_ms = Some(duration_ms);
    response.codec = Some(codec);
    response.sample_rate = Some(rate_hz);
    response.channels = Some(channels);
    response.loudness = Some(loudness_of(&loudness));
    response.silence = Some(silence_of(silence));
    if let Some((links, window)) = links {
        let media::Waveform { preview, json, binary } = waveform;
        // One request for the URLs of all files, which share a signature.
        let waveforms = [("application/json", json), ("application/octet-stream", binary)];
        let keys = waveforms.iter().map(|(_, File { key, .. })| key.as_str());
        let keys: Vec<_> = keys.chain(renditions.iter().map(|rendition| rendition.file.key.as_str())).collect();
        let mut urls = links.urls(&keys, window).await?.into_iter();
        let files = waveforms.iter().zip(urls.by_ref()).map(|((content_type, file), url)| WaveformFile {
            url,
            bytes: file.size,
            content_type: (*content_type).to_owned(),
        });
        response.waveform = Some(Waveform { preview, files: files.collect() });
        let renditions = renditions.into_iter().zip(urls).map(|(rendition, url)| Rendition {
            url,
            bytes: rendition.file.size,
            content_type: rendition.content_type,
            channels: rendition.channels,
            sample_rate: rendition.rate_hz,
        });
        response.renditions = Some(renditions.collect());
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
