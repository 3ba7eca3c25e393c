//! The meter: measures samples in one pass and bounded memory.
//!
//! Samples are measured in blocks of [`BLOCK`] frames counted from the start, so the result does not depend on
//! the packet sizes of the decoder.

mod clipping;
mod k_weighting;
mod loudness;
mod silence;
mod ticks;
mod true_peak;
mod waveform_peaks;

pub use clipping::Clipping;
pub use loudness::Loudness;
pub use silence::{LISTED_SECONDS, SILENCE_BELOW_LUFS, Silence, Silences};

use clipping::ClipCounter;
use k_weighting::KWeighting;
use silence::SilenceDetector;
use ticks::{TICKS_PER_STEP, Ticks};
use true_peak::{HISTORY, Interpolator, SEGMENT};
use waveform_peaks::{MIN_FRAMES_PER_SPAN, Span, WaveformPeaks};

use serde::Serialize;

use crate::waveform_format::Waveform;

/// Frames measured at a time. Two channels fit into the L1 cache.
const BLOCK: usize = 2048;
/// Space after a block for the silence that fills up the last one.
const PADDING: usize = 2 * SEGMENT;
/// The ticks of the momentary loudness: 400 ms.
const MOMENTARY_TICKS: usize = 40;
/// Samples are clamped to this value, 36 dB above full scale. Only floating-point PCM and damaged files exceed it.
const MAX_SAMPLE: f32 = 64.0;

const _: () = assert!(BLOCK.is_multiple_of(SEGMENT) && (MIN_FRAMES_PER_SPAN as usize).is_multiple_of(SEGMENT));

/// The result of a [`Meter`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// The number of frames (samples per channel), counted while decoding.
    pub frames: u64,
    /// The loudness.
    pub loudness: Loudness,
    /// The highest point of the waveform, including points between samples, in dB relative to full scale
    /// (BS.1770-5, annex 2); `None` for digital silence.
    pub true_peak_dbtp: Option<f64>,
    /// The highest sample, in dB relative to full scale; `None` for digital silence.
    pub sample_peak_dbfs: Option<f64>,
    /// The clipped samples.
    pub clipping: Clipping,
    /// The silent stretches.
    pub silences: Silences,
    /// Minima and maxima for drawing.
    #[serde(skip)]
    pub waveform: Waveform,
}

/// Measures decoded sound.
#[derive(Debug, Clone)]
pub struct Meter {
    rate_hz: u32,
    channels: Vec<Channel>,
    /// One filter, and its energies, for each pair of channels. It filters an odd last channel twice.
    filters: Vec<(KWeighting, [f64; 2])>,
    interpolator: Interpolator,
    /// The number of frames in the current block.
    filled: usize,
    frames: u64,
    spans: Vec<Span>,
    sample_peak: f32,
    true_peak: f32,
    waveform_peaks: WaveformPeaks,
    ticks: Ticks,
    silences: SilenceDetector,
    step_energy: f64,
    steps: Vec<f64>,
    /// The energies of the last 400 ms, as a ring buffer indexed by tick.
    recent: [f64; MOMENTARY_TICKS],
    max_momentary: f64,
}

#[derive(Debug, Clone)]
struct Channel {
    /// The weight of its energy in the loudness (BS.1770-5, table 3).
    weight: f64,
    /// The last [`HISTORY`] samples of the previous block, the current block, and space for padding.
    samples: Vec<f32>,
    /// The highest amplitude in the last segment of the previous block.
    last_amplitude: f32,
    clips: ClipCounter,
}

impl Meter {
    /// A meter with a weight for each channel: 1.0 for front channels, 1.41 for side and rear channels, 0.0 for
    /// low-frequency effects. The waveform has at most `max_points` points.
    pub fn new(rate_hz: u32, weights: &[f64], max_points: usize) -> Self {
        let rate_hz = rate_hz.max(1);
        let channel = |&weight: &f64| Channel {
            weight,
            samples: vec![0.0; HISTORY + BLOCK + PADDING],
            last_amplitude: 0.0,
            clips: ClipCounter::default(),
        };
        Self {
            rate_hz,
            channels: weights.iter().map(channel).collect(),
            filters: vec![(KWeighting::new(rate_hz), [0.0; 2]); weights.len().div_ceil(2)],
            interpolator: Interpolator::new(rate_hz),
            filled: 0,
            frames: 0,
            spans: vec![(0.0, 0.0); BLOCK / SEGMENT],
            sample_peak: 0.0,
            true_peak: 0.0,
            waveform_peaks: WaveformPeaks::new(max_points),
            ticks: Ticks::new(rate_hz),
            silences: SilenceDetector::new(rate_hz),
            step_energy: 0.0,
            steps: Vec::new(),
            recent: [0.0; MOMENTARY_TICKS],
            max_momentary: 0.0,
        }
    }

    /// The number of frames pushed.
    pub fn frames(&self) -> u64 {
        self.frames + self.filled as u64
    }

    /// Measures the next samples: one slice per channel, all of the same length. Full scale is ±1.0. NaN counts
    /// as 0.
    pub fn push(&mut self, planes: &[&[f32]]) {
        let length = planes.iter().map(|plane| plane.len()).min().unwrap_or(0);
        let mut done = 0;
        while done < length {
            let count = (length - done).min(BLOCK - self.filled);
            let at = HISTORY + self.filled;
            for (channel, plane) in self.channels.iter_mut().zip(planes) {
                for (to, &from) in channel.samples[at..at + count].iter_mut().zip(&plane[done..done + count]) {
                    *to = sanitised(from);
                }
            }
            self.filled += count;
            done += count;
            if self.filled == BLOCK {
                self.measure_block();
            }
        }
    }

    /// Returns the measured values.
    pub fn finish(mut self) -> Measured {
        if self.filled > 0 {
            self.measure_block();
        }
        let frames = self.ticks.in_current;
        if frames > 0 {
            // The last tick is shorter than 10 ms. It ends no window of the loudness.
            let energy = self.take_energy();
            self.silences.push(energy / frames as f64, frames);
        }
        // There may be a peak after the last sample.
        self.measure_tail_peak();
        let mut clipping = Clipping::default();
        self.channels.iter().for_each(|channel| channel.clips.add_to(&mut clipping));
        let (spans, frames_per_span) = self.waveform_peaks.finish();
        Measured {
            frames: self.frames,
            loudness: Loudness::new(&self.steps, self.max_momentary),
            true_peak_dbtp: decibels(self.true_peak.max(self.sample_peak)),
            sample_peak_dbfs: decibels(self.sample_peak),
            clipping,
            silences: self.silences.finish(),
            waveform: Waveform::new(self.rate_hz, frames_per_span, &spans),
        }
    }

    fn measure_block(&mut self) {
        let length = self.filled;
        self.measure_peaks(length);
        self.measure_energy(length);
        self.frames += length as u64;
        self.filled = 0;
    }

    fn measure_peaks(&mut self, length: usize) {
        let segments = length.div_ceil(SEGMENT);
        let spans = &mut self.spans[..segments];
        spans.fill((f32::INFINITY, f32::NEG_INFINITY));
        for channel in &mut self.channels {
            // The last block is filled up with silence.
            channel.samples[HISTORY + length..].fill(0.0);
            let mut previous = channel.last_amplitude;
            for (index, span) in spans.iter_mut().enumerate() {
                let start = HISTORY + index * SEGMENT;
                let inside = &channel.samples[start..start + SEGMENT.min(length - index * SEGMENT)];
                let (low, high) = extremes(inside);
                channel.clips.push(inside, low, high);
                let amplitude = high.max(-low);
                self.sample_peak = self.sample_peak.max(amplitude);
                let highest = self.true_peak.max(self.sample_peak);
                if self.interpolator.may_exceed(amplitude.max(previous), highest)
                    && let Some(window) = channel.samples[start - HISTORY..].first_chunk()
                {
                    self.true_peak = self.true_peak.max(self.interpolator.peak(window));
                }
                previous = amplitude;
                *span = (span.0.min(low), span.1.max(high));
            }
            channel.last_amplitude = previous;
        }
        for (index, &span) in self.spans[..segments].iter().enumerate() {
            self.waveform_peaks.push(span, SEGMENT.min(length - index * SEGMENT) as u32);
        }
    }

    /// Measures the interpolated points after the last sample.
    fn measure_tail_peak(&mut self) {
        for channel in &self.channels {
            // The end of each block is copied to the front.
            let mut window = [0.0; HISTORY + SEGMENT];
            window[..HISTORY].copy_from_slice(&channel.samples[..HISTORY]);
            self.true_peak = self.true_peak.max(self.interpolator.peak(&window));
        }
    }

    fn measure_energy(&mut self, length: usize) {
        let mut from = 0;
        while from < length {
            let frames_left = usize::try_from(self.ticks.frames_left()).unwrap_or(usize::MAX);
            let to = from.saturating_add(frames_left).min(length);
            for (pair, (filter, energy)) in self.channels.chunks(2).zip(&mut self.filters) {
                let range = HISTORY + from..HISTORY + to;
                let (first, last) = (&pair[0], &pair[pair.len() - 1]);
                filter.add_energy(&first.samples[range.clone()], &last.samples[range], energy);
            }
            self.ticks.in_current += (to - from) as u64;
            from = to;
            if self.ticks.frames_left() == 0 {
                self.end_tick(self.ticks.in_current);
            }
        }
        // Keeps the history for the next block.
        for channel in &mut self.channels {
            channel.samples.copy_within(length..length + HISTORY, 0);
        }
    }

    /// The weighted energy of all channels since the last call.
    fn take_energy(&mut self) -> f64 {
        let mut total = 0.0;
        for (pair, (filter, energy)) in self.channels.chunks(2).zip(&mut self.filters) {
            total += pair.iter().zip(*energy).map(|(channel, energy)| channel.weight * energy).sum::<f64>();
            *energy = [0.0; 2];
            filter.flush_denormals();
        }
        total
    }

    /// Ends a tick of `frames` frames.
    fn end_tick(&mut self, frames: u64) {
        let total = self.take_energy();
        self.silences.push(total / frames as f64, frames);
        self.update_max_momentary(total);
        self.step_energy += total;
        if self.ticks.advance() {
            self.steps.push(self.step_energy / self.ticks.step_frames as f64);
            self.step_energy = 0.0;
        }
    }

    /// Tech 3341 requires the loudest 400 ms to 0.1 LU. Steps of 100 ms can be off by half an LU.
    fn update_max_momentary(&mut self, energy: f64) {
        let tick = self.steps.len() as u64 * TICKS_PER_STEP + self.ticks.current;
        self.recent[tick as usize % MOMENTARY_TICKS] = energy;
        if tick + 1 >= MOMENTARY_TICKS as u64 {
            // 40 ticks have the length of four steps, even if ticks differ by a frame.
            let frames = self.ticks.step_frames * MOMENTARY_TICKS as u64 / TICKS_PER_STEP;
            let momentary = self.recent.iter().sum::<f64>() / frames as f64;
            self.max_momentary = self.max_momentary.max(momentary);
        }
    }
}

/// Clamps a sample. NaN becomes 0, because all comparisons with it are false.
fn sanitised(sample: f32) -> f32 {
    if sample.abs() <= MAX_SAMPLE {
        sample
    } else if sample > 0.0 {
        MAX_SAMPLE
    } else if sample < 0.0 {
        -MAX_SAMPLE
    } else {
        0.0
    }
}

/// The lowest and the highest sample.
fn extremes(samples: &[f32]) -> Span {
    const LANES: usize = 8;
    let mut low = [f32::INFINITY; LANES];
    let mut high = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = samples.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            low[lane] = if chunk[lane] < low[lane] { chunk[lane] } else { low[lane] };
            high[lane] = if chunk[lane] > high[lane] { chunk[lane] } else { high[lane] };
        }
    }
    let low = low.into_iter().chain(rest.iter().copied()).fold(f32::INFINITY, f32::min);
    let high = high.into_iter().chain(rest.iter().copied()).fold(f32::NEG_INFINITY, f32::max);
    (low, high)
}

fn decibels(amplitude: f32) -> Option<f64> {
    (amplitude > 0.0).then(|| 20.0 * f64::from(amplitude).log10())
}
