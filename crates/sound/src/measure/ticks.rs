//! Division of time into steps of 100 ms and ticks of 10 ms.

pub(super) const TICKS_PER_STEP: u64 = 10;

/// The current tick. At some rates, ticks of one step differ by a frame.
#[derive(Debug, Clone)]
pub(super) struct Ticks {
    pub step_frames: u64,
    /// The index of the current tick within its step.
    pub current: u64,
    /// The number of measured frames of the current tick.
    pub in_current: u64,
}

impl Ticks {
    pub fn new(rate_hz: u32) -> Self {
        Self { step_frames: (u64::from(rate_hz) + 5) / 10, current: 0, in_current: 0 }
    }

    /// The number of frames that the current tick still needs.
    pub fn frames_left(&self) -> u64 {
        let start = |tick: u64| tick * self.step_frames / TICKS_PER_STEP;
        start(self.current + 1) - start(self.current) - self.in_current
    }

    /// Starts the next tick. Returns `true` if it also starts a step.
    pub fn advance(&mut self) -> bool {
        self.in_current = 0;
        self.current = (self.current + 1) % TICKS_PER_STEP;
        self.current == 0
    }
}
