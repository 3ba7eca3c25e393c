//! The peaks of the waveform: minima and maxima over spans of equal length, in bounded memory.

/// Frames per span at the start. The length doubles whenever there would be too many spans.
pub(crate) const MIN_FRAMES_PER_SPAN: u32 = 256;

/// The lowest and the highest sample of a span, over all channels.
pub(crate) type Span = (f32, f32);

const EMPTY: Span = (f32::INFINITY, f32::NEG_INFINITY);

#[derive(Debug, Clone)]
pub(crate) struct WaveformPeaks {
    spans: Vec<Span>,
    max_spans: usize,
    frames_per_span: u32,
    current: Span,
    current_frames: u32,
}

impl WaveformPeaks {
    /// At most `max_spans` spans, rounded down to an even number of at least 2.
    pub fn new(max_spans: usize) -> Self {
        let max_spans = max_spans.max(2) & !1;
        Self { spans: Vec::new(), max_spans, frames_per_span: MIN_FRAMES_PER_SPAN, current: EMPTY, current_frames: 0 }
    }

    /// Adds the minimum and maximum of `frames` frames. They must not cross a multiple of
    /// [`MIN_FRAMES_PER_SPAN`].
    pub fn push(&mut self, span: Span, frames: u32) {
        self.current = union(self.current, span);
        self.current_frames += frames;
        if self.current_frames >= self.frames_per_span {
            if self.spans.len() == self.max_spans {
                self.halve();
            }
            // After halving, spans are longer, and the current one is not full yet.
            if self.current_frames >= self.frames_per_span {
                self.end_span();
            }
        }
    }

    /// The spans and the frames per span. The last span may have fewer.
    pub fn finish(mut self) -> (Vec<Span>, u32) {
        if self.current_frames > 0 {
            if self.spans.len() == self.max_spans {
                self.halve();
            }
            self.end_span();
        }
        (self.spans, self.frames_per_span)
    }

    fn end_span(&mut self) {
        self.spans.push(self.current);
        (self.current, self.current_frames) = (EMPTY, 0);
    }

    fn halve(&mut self) {
        for pair in 0..self.spans.len() / 2 {
            self.spans[pair] = union(self.spans[2 * pair], self.spans[2 * pair + 1]);
        }
        self.spans.truncate(self.spans.len() / 2);
        self.frames_per_span *= 2;
    }
}

fn union(a: Span, b: Span) -> Span {
    (a.0.min(b.0), a.1.max(b.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pushes 32 frames at a time, as the meter does.
    fn spans_of(frames: u32, max_spans: usize) -> (Vec<Span>, u32) {
        let mut spans = WaveformPeaks::new(max_spans);
        for start in (0..frames).step_by(32) {
            let end = (start + 32).min(frames);
            spans.push((-((end - 1) as f32), start as f32), end - start);
        }
        spans.finish()
    }

    #[test]
    fn spans_double_to_stay_within_the_limit() {
        for frames in [1, 255, 256, 257, 1023, 1024, 1025, 2048, 2049, 100_000] {
            let (spans, per_span) = spans_of(frames, 4);
            assert!((1..=4).contains(&spans.len()), "{frames}: {}", spans.len());
            assert_eq!(spans.len() as u32, frames.div_ceil(per_span), "{frames}");
            for (index, &(low, high)) in spans.iter().enumerate() {
                let last = ((index as u32 + 1) * per_span).min(frames) - 1;
                assert_eq!((low, high), (-(last as f32), (last / 32 * 32) as f32), "{frames}, {index}");
            }
        }
    }

    #[test]
    fn no_frames_have_no_spans() {
        assert_eq!(WaveformPeaks::new(4).finish(), (vec![], MIN_FRAMES_PER_SPAN));
    }
}
