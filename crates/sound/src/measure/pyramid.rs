//! Minima and maxima over stretches of equal length, however long the recording is.

/// Frames per stretch at the beginning. It doubles whenever there would be too many stretches.
pub(crate) const FINEST: u32 = 256;

/// The lowest and the highest sample of a stretch, over all channels.
pub(crate) type Span = (f32, f32);

const NOTHING: Span = (f32::INFINITY, f32::NEG_INFINITY);

#[derive(Debug, Clone)]
pub(crate) struct Pyramid {
    spans: Vec<Span>,
    most_spans: usize,
    frames_per_span: u32,
    current: Span,
    current_frames: u32,
}

impl Pyramid {
    /// `most_spans` is made even and at least 2.
    pub fn new(most_spans: usize) -> Self {
        let most_spans = most_spans.max(2) & !1;
        Self { spans: Vec::new(), most_spans, frames_per_span: FINEST, current: NOTHING, current_frames: 0 }
    }

    /// Adds what spans `frames` frames. They must not reach over the end of a stretch of
    /// [`FINEST`] frames.
    pub fn push(&mut self, span: Span, frames: u32) {
        self.current = union(self.current, span);
        self.current_frames += frames;
        if self.current_frames >= self.frames_per_span {
            if self.spans.len() == self.most_spans {
                self.halve();
            }
            // Halving has made a stretch longer; then the current one is not full yet.
            if self.current_frames >= self.frames_per_span {
                self.end_span();
            }
        }
    }

    /// The stretches and how many frames each spans; the last may hold fewer.
    pub fn finish(mut self) -> (Vec<Span>, u32) {
        if self.current_frames > 0 {
            if self.spans.len() == self.most_spans {
                self.halve();
            }
            self.end_span();
        }
        (self.spans, self.frames_per_span)
    }

    fn end_span(&mut self) {
        self.spans.push(self.current);
        (self.current, self.current_frames) = (NOTHING, 0);
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

    /// One span for each frame would be the finest there is; 32 at a time is what the meter does.
    fn pyramid(frames: u32, most_spans: usize) -> (Vec<Span>, u32) {
        let mut pyramid = Pyramid::new(most_spans);
        for start in (0..frames).step_by(32) {
            let end = (start + 32).min(frames);
            pyramid.push((-((end - 1) as f32), start as f32), end - start);
        }
        pyramid.finish()
    }

    #[test]
    fn stretches_double_and_stay_within_the_limit() {
        for frames in [1, 255, 256, 257, 1023, 1024, 1025, 2048, 2049, 100_000] {
            let (spans, per_span) = pyramid(frames, 4);
            assert!((1..=4).contains(&spans.len()), "{frames}: {}", spans.len());
            assert_eq!(spans.len() as u32, frames.div_ceil(per_span), "{frames}");
            for (index, &(low, high)) in spans.iter().enumerate() {
                let last = ((index as u32 + 1) * per_span).min(frames) - 1;
                assert_eq!((low, high), (-(last as f32), (last / 32 * 32) as f32), "{frames}, {index}");
            }
        }
    }

    #[test]
    fn nothing_has_no_stretches() {
        assert_eq!(Pyramid::new(4).finish(), (vec![], FINEST));
    }
}
