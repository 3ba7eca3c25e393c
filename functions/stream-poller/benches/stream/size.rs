/// The records of the stream: about twenty pages of 10 MB.
pub const RECORDS: u64 = 1_000_000;

/// The number of rounds. The best counts, because other load on the machine only slows them down.
pub const ROUNDS: u32 = 3;
