/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub width: u32,
    pub height: u32,
}

impl Size {
    pub fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// The size scaled down to a longest side of `bound`, at least 1 × 1. A smaller size stays as it is.
    pub fn within(self, bound: u32) -> Self {
        let longest = self.width.max(self.height);
        if longest <= bound {
            return self;
        }
        let scale = |side: u32| {
            let (side, bound, longest) = (u64::from(side), u64::from(bound), u64::from(longest));
            (((side * bound + longest / 2) / longest) as u32).max(1)
        };
        Self::new(scale(self.width), scale(self.height))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn largest_width_within_a_bound_does_not_overflow() {
        assert_eq!(Size::new(u32::MAX, 1).within(128), Size::new(128, 1));
    }
}
