/// Size of every part but the last, in bytes. S3 accepts parts of 5 MiB to 5 GiB, and 10,000 parts.
pub const PART_BYTES: u64 = 16 * 1024 * 1024;

/// Division of an upload into parts. It depends on the size only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// Size of the file in bytes.
    size: u64,
}

impl Parts {
    /// Divides `size` bytes.
    pub fn of(size: u64) -> Self {
        Self { size }
    }

    /// Number of parts.
    pub fn count(self) -> u64 {
        self.size.div_ceil(PART_BYTES)
    }

    /// Length of a part in bytes; `None` if there is no such part. Numbers begin at 1.
    pub fn length(self, number: u64) -> Option<u64> {
        let start = number.checked_sub(1)?.checked_mul(PART_BYTES)?;
        self.size.checked_sub(start).filter(|&rest| rest > 0).map(|rest| rest.min(PART_BYTES))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_add_up_to_the_size(size in 1..=2u64 << 30) {
            let parts = Parts::of(size);
            let lengths: Vec<_> = (1..=parts.count()).map_while(|number| parts.length(number)).collect();
            prop_assert_eq!(lengths.len() as u64, parts.count());
            prop_assert_eq!(lengths.iter().sum::<u64>(), size);
            prop_assert!(lengths[1..].iter().all(|_| lengths[0] == PART_BYTES));
            prop_assert_eq!(parts.length(0), None);
            prop_assert_eq!(parts.length(parts.count() + 1), None);
            prop_assert_eq!(parts.length(u64::MAX), None);
        }
    }
}
