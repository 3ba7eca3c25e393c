use super::MAX_SINGLE_REQUEST_BYTES;

/// Size of every part but the last of a file that must be sent in parts, in bytes. S3 accepts parts of 5 MiB to 5 GiB, and
/// 10,000 parts.
pub const PART_BYTES: u64 = 16 * 1024 * 1024;
/// Size of every part but the last of a smaller file: the least that S3 accepts, so that little is sent again.
pub const SMALL_PART_BYTES: u64 = 5 * 1024 * 1024;

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

    /// Size of every part but the last, in bytes.
    pub fn part_bytes(self) -> u64 {
        if self.size <= MAX_SINGLE_REQUEST_BYTES { SMALL_PART_BYTES } else { PART_BYTES }
    }

    /// Number of parts.
    pub fn count(self) -> u64 {
        self.size.div_ceil(self.part_bytes())
    }

    /// Length of a part in bytes; `None` if there is no such part. Numbers begin at 1.
    pub fn length(self, number: u64) -> Option<u64> {
        let start = number.checked_sub(1)?.checked_mul(self.part_bytes())?;
        self.size.checked_sub(start).filter(|&rest| rest > 0).map(|rest| rest.min(self.part_bytes()))
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
            prop_assert!(lengths[1..].iter().all(|_| lengths[0] == parts.part_bytes()));
            prop_assert_eq!(parts.length(0), None);
            prop_assert_eq!(parts.length(parts.count() + 1), None);
            prop_assert_eq!(parts.length(u64::MAX), None);
        }
    }
}
