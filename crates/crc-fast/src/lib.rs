//! Stands in for the crate of this name, as far as the AWS SDK uses it (`[patch.crates-io]` in the workspace's
//! `Cargo.toml`). That one brings 680 KB of tables, of all the checksums it knows, into each function that uses S3, which
//! needs three of them: <https://github.com/awesomized/crc-fast-rust/issues/61>. Once it has a feature for that, or the
//! SDK asks for other checksums, this crate goes.
//!
//! CRC-32 is what the SDK sends with everything that it stores: crc32fast uses the processor's instructions for it. The
//! others are met only in answers, of objects stored by others without a checksum of their own: ours are stored with SHA-256.
//! They go through a table of 16 lanes each, which is slower than what this stands in for.

use crc::{CRC_32_ISCSI, CRC_64_NVME, Crc, Table};

static CRC_32C: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);
static CRC_64: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_NVME);

/// The checksums of S3 that are CRCs, by their names in the [catalogue](https://reveng.sourceforge.io/crc-catalogue/).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrcAlgorithm {
    /// CRC-32, of Ethernet and zip.
    Crc32IsoHdlc,
    /// CRC-32C, of iSCSI.
    Crc32Iscsi,
    /// CRC-64/NVME, S3's own choice for what comes without a checksum.
    Crc64Nvme,
}

/// A checksum of bytes that come in pieces.
#[derive(Debug, Clone)]
pub struct Digest(State);

#[derive(Clone)]
enum State {
    Crc32(crc32fast::Hasher),
    Crc32c(crc::Digest<'static, u32, Table<16>>),
    Crc64(crc::Digest<'static, u64, Table<16>>),
}

impl Digest {
    /// The checksum of nothing yet.
    pub fn new(algorithm: CrcAlgorithm) -> Self {
        Self(match algorithm {
            CrcAlgorithm::Crc32IsoHdlc => State::Crc32(crc32fast::Hasher::new()),
            CrcAlgorithm::Crc32Iscsi => State::Crc32c(CRC_32C.digest()),
            CrcAlgorithm::Crc64Nvme => State::Crc64(CRC_64.digest()),
        })
    }

    /// Adds what comes next.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Crc32(digest) => digest.update(bytes),
            State::Crc32c(digest) => digest.update(bytes),
            State::Crc64(digest) => digest.update(bytes),
        }
    }

    /// The checksum of all that came, in as many low bits as it has.
    pub fn finalize(self) -> u64 {
        match self.0 {
            State::Crc32(digest) => digest.finalize().into(),
            State::Crc32c(digest) => digest.finalize().into(),
            State::Crc64(digest) => digest.finalize(),
        }
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Crc32(_) => "CRC-32",
            Self::Crc32c(_) => "CRC-32C",
            Self::Crc64(_) => "CRC-64/NVME",
        })
    }
}

/// The checksum of `bytes`.
pub fn checksum(algorithm: CrcAlgorithm, bytes: &[u8]) -> u64 {
    let mut digest = Digest::new(algorithm);
    digest.update(bytes);
    digest.finalize()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The catalogue's check values, and the polynomials, lowest bit first.
    const ALL: [(CrcAlgorithm, u64, u64, u32); 3] = [
        (CrcAlgorithm::Crc32IsoHdlc, 0xcbf4_3926, 0xedb8_8320, 32),
        (CrcAlgorithm::Crc32Iscsi, 0xe306_9283, 0x82f6_3b78, 32),
        (CrcAlgorithm::Crc64Nvme, 0xae8b_1486_0a79_9888, 0x9a6c_9329_ac4b_c9b5, 64),
    ];

    /// By the definition: one bit after the other.
    fn defined(bytes: &[u8], polynomial: u64, width: u32) -> u64 {
        let ones = u64::MAX >> (64 - width);
        let state = bytes.iter().fold(ones, |state, &byte| {
            (0..8).fold(state ^ u64::from(byte), |state, _| (state >> 1) ^ (polynomial * (state & 1)))
        });
        state ^ ones
    }

    #[test]
    fn the_catalogue_is_met() {
        for (algorithm, check, ..) in ALL {
            assert_eq!(checksum(algorithm, b"123456789"), check, "{algorithm:?}");
        }
    }

    proptest! {
        #[test]
        fn pieces_make_what_is_defined(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..6)) {
            for (algorithm, _, polynomial, width) in ALL {
                let mut digest = Digest::new(algorithm);
                for piece in &pieces {
                    digest.update(piece);
                }
                prop_assert_eq!(digest.finalize(), defined(&pieces.concat(), polynomial, width));
            }
        }
    }
}
