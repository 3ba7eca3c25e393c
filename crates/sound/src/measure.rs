//! The meter: samples in, everything out, in one pass and bounded memory.
//!
//! Whatever blocks the samples come in, they are measured in blocks of [`BLOCK`] frames counted
//! from the beginning. So how a decoder cuts its output cannot change a result.

mod clipping;
mod k_weighting;
mod loudness;
mod pyramid;
mod silence;
mod true_peak;

pub use clipping::Clipping;
pub use loudness::Loudness;
pub use silence::{LISTED_SECONDS, SILENCE_BELOW_LUFS, Silence, Silences};

use clipping::ClipCounter;
use k_weighting::KWeighting;
use pyramid::{Pyramid, Span};
use silence::SilenceMap;
use true_peak::{HISTORY, Interpolator, SEGMENT};

use crate::Waveform;

/// Frames that are measured at a time: two channels of them stay in the first-level cache.
const BLOCK: usize = 2048;
/// Room behind a block, for the silence that the last one is filled up with.
const PADDING: usize = 2 * SEGMENT;
/// Energies are summed over 10 ms, and ten of these make one step of the loudness.
const TICKS_PER_STEP: u64 = 10;
/// 400 ms.
const MOMENTARY_TICKS: usize = 40;
/// The highest value that a sample may have, +36 dB above full scale. Only floating-point PCM
/// and broken files hold more.
const HIGHEST: f32 = 64.0;

const _: () = assert!(BLOCK.is_multiple_of(SEGMENT) && (pyramid::FINEST as usize).is_multiple_of(SEGMENT));

/// What a [`Meter`] found out about a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// How many frames (samples of each channel) there are.
    pub frames: u64,
    /// How loud it is.
    pub loudness: Loudness,
    /// The highest point of the waveform between and at its samples, in dB relative to full scale
    /// (BS.1770-5, annex 2); `None` for digital silence.
    pub true_peak_dbtp: Option<f64>,
    /// The highest sample, in dB relative to full scale; `None` for digital silence.
    pub sample_peak_dbfs: Option<f64>,
    /// What was cut off at full scale.
    pub clipping: Clipping,
    /// Where nothing is to be heard.
    pub silences: Silences,
    /// Minima and maxima, to be drawn.
    pub waveform: Waveform,
}

/// Measures decoded sound.
#[derive(Debug, Clone)]
pub struct Meter {
    rate_hz: u32,
    channels: Vec<Channel>,
    /// One for two channels each; an odd last channel is filtered beside itself.
    filters: Vec<(KWeighting, [f64; 2])>,
    interpolator: Interpolator,
    /// Frames of the current block that are there.
    filled: usize,
    frames: u64,
    spans: Vec<Span>,
    sample_peak: f32,
    true_peak: f32,
    pyramid: Pyramid,
    ticks: Ticks,
    silences: SilenceMap,
    step_energy: f64,
    steps: Vec<f64>,
    /// The energies of the last 400 ms, the tick `n` at `n` modulo their number.
    recent: [f64; MOMENTARY_TICKS],
    max_momentary: f64,
}

#[derive(Debug, Clone)]
struct Channel {
    /// The weight of its energy in the loudness (BS.1770-5, table 3).
    weight: f64,
    /// [`HISTORY`] samples of the block before, the current block, room for padding.
    samples: Vec<f32>,
    /// The loudest of the last segment of the block before.
    last_loudest: f32,
    clips: ClipCounter,
}

impl Meter {
    /// `weights` has one entry for each channel: 1.0 in front, 1.41 at the sides and behind, 0.0
    /// for a low-frequency effects channel. `most_points` bounds the waveform.
    pub fn new(rate_hz: u32, weights: &[f64], most_points: usize) -> Self {
        let rate_hz = rate_hz.max(1);
        let channel = |&weight: &f64| Channel {
            weight,
            samples: vec![0.0; HISTORY + BLOCK + PADDING],
            last_loudest: 0.0,
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
            pyramid: Pyramid::new(most_points),
            ticks: Ticks::new(rate_hz),
            silences: SilenceMap::new(rate_hz),
            step_energy: 0.0,
            steps: Vec::new(),
            recent: [0.0; MOMENTARY_TICKS],
            max_momentary: 0.0,
        }
    }

    /// How many frames have come in.
    pub fn frames(&self) -> u64 {
        self.frames + self.filled as u64
    }

    /// Takes the next samples, one slice per channel, all of one length. Full scale is ±1.0; what
    /// is not a number counts as 0.
    pub fn push(&mut self, planes: &[&[f32]]) {
        let length = planes.iter().map(|plane| plane.len()).min().unwrap_or(0);
        let mut done = 0;
        while done < length {
            let count = (length - done).min(BLOCK - self.filled);
            let at = HISTORY + self.filled;
            for (channel, plane) in self.channels.iter_mut().zip(planes) {
                for (to, &from) in channel.samples[at..at + count].iter_mut().zip(&plane[done..done + count]) {
                    *to = tamed(from);
                }
            }
            self.filled += count;
            done += count;
            if self.filled == BLOCK {
                self.measure_block();
            }
        }
    }

    /// Everything about what came in.
    pub fn finish(mut self) -> Measured {
        if self.filled > 0 {
            self.measure_block();
        }
        if self.ticks.in_current > 0 {
            let frames = self.ticks.in_current;
            self.end_tick(frames);
        }
        // The last samples have peaks behind them, too.
        self.true_peak_of_rest();
        let mut clipping = Clipping::default();
        self.channels.iter().for_each(|channel| channel.clips.add_to(&mut clipping));
        let (spans, frames_per_span) = self.pyramid.finish();
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
            // A last block is filled up with silence.
            channel.samples[HISTORY + length..].fill(0.0);
            let mut before = channel.last_loudest;
            for (index, span) in spans.iter_mut().enumerate() {
                let start = HISTORY + index * SEGMENT;
                let inside = &channel.samples[start..start + SEGMENT.min(length - index * SEGMENT)];
                let (low, high) = extremes(inside);
                channel.clips.push(inside, low, high);
                let loudest = high.max(-low);
                self.sample_peak = self.sample_peak.max(loudest);
                let highest = self.true_peak.max(self.sample_peak);
                if self.interpolator.may_exceed(loudest.max(before), highest)
                    && let Some(window) = channel.samples[start - HISTORY..].first_chunk()
                {
                    self.true_peak = self.true_peak.max(self.interpolator.peak(window));
                }
                before = loudest;
                *span = (span.0.min(low), span.1.max(high));
            }
            channel.last_loudest = before;
        }
        for (index, &span) in self.spans[..segments].iter().enumerate() {
            self.pyramid.push(span, SEGMENT.min(length - index * SEGMENT) as u32);
        }
    }

    /// The outputs that reach beyond the last sample, into silence.
    fn true_peak_of_rest(&mut self) {
        for channel in &self.channels {
            // Each block leaves its end at the front.
            let mut window = [0.0; HISTORY + SEGMENT];
            window[..HISTORY].copy_from_slice(&channel.samples[..HISTORY]);
            self.true_peak = self.true_peak.max(self.interpolator.peak(&window));
        }
    }

    fn measure_energy(&mut self, length: usize) {
        let mut from = 0;
        while from < length {
            let wanted = usize::try_from(self.ticks.frames_left()).unwrap_or(usize::MAX);
            let to = from.saturating_add(wanted).min(length);
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
        // What the next block looks back at.
        for channel in &mut self.channels {
            channel.samples.copy_within(length..length + HISTORY, 0);
        }
    }

    /// A stretch of 10 ms (or what is left of one) is complete.
    fn end_tick(&mut self, frames: u64) {
        let mut total = 0.0;
        for (pair, (filter, energy)) in self.channels.chunks(2).zip(&mut self.filters) {
            total += pair.iter().zip(*energy).map(|(channel, energy)| channel.weight * energy).sum::<f64>();
            *energy = [0.0; 2];
            filter.settle();
        }
        self.silences.push(total / frames as f64, frames);
        self.note_momentary(total);
        self.step_energy += total;
        if self.ticks.advance() {
            self.steps.push(self.step_energy / self.ticks.step_frames as f64);
            self.step_energy = 0.0;
        }
    }

    /// Tech 3341 wants the loudest 400 ms to 0.1 LU, which steps of 100 ms can miss by half an LU.
    fn note_momentary(&mut self, energy: f64) {
        let tick = self.steps.len() as u64 * TICKS_PER_STEP + self.ticks.current;
        self.recent[tick as usize % MOMENTARY_TICKS] = energy;
        if tick + 1 >= MOMENTARY_TICKS as u64 {
            // Ticks of one length or of two that differ by a frame: four steps in all, either way.
            let frames = self.ticks.step_frames * MOMENTARY_TICKS as u64 / TICKS_PER_STEP;
            let momentary = self.recent.iter().sum::<f64>() / frames as f64;
            self.max_momentary = self.max_momentary.max(momentary);
        }
    }
}

/// The division of time into steps of 100 ms and ticks of 10, at rates that no ten divides.
#[derive(Debug, Clone)]
struct Ticks {
    step_frames: u64,
    /// Which tick of the step is the current one.
    current: u64,
    /// How many of its frames have been measured.
    in_current: u64,
}

impl Ticks {
    fn new(rate_hz: u32) -> Self {
        Self { step_frames: (u64::from(rate_hz) + 5) / 10, current: 0, in_current: 0 }
    }

    fn frames_left(&self) -> u64 {
        let start = |tick: u64| tick * self.step_frames / TICKS_PER_STEP;
        start(self.current + 1) - start(self.current) - self.in_current
    }

    /// Begins the next tick; whether that also begins a step.
    fn advance(&mut self) -> bool {
        self.in_current = 0;
        self.current = (self.current + 1) % TICKS_PER_STEP;
        self.current == 0
    }
}

fn tamed(sample: f32) -> f32 {
    // Comparisons with what is not a number are false: it becomes 0.
    if sample.abs() <= HIGHEST {
        sample
    } else if sample > 0.0 {
        HIGHEST
    } else if sample < 0.0 {
        -HIGHEST
    } else {
        0.0
    }
}

/// The lowest and the highest of some samples.
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
