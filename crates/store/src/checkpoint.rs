//! The table `checkpoint`: one row per stream, with the position up to which it is published and the lease. Its only
//! writer is `stream-poller`.
//!
//! Position and lease are in one row, so that one condition guards both. Every write of a holder requires its owner and
//! epoch: after another invocation has acquired the lease, the former holder can write nothing more.
//!
//! ```text
//! stream     the cluster's name (the key)
//! position   the last record that the bus has accepted, with all before it; text of fixed width
//! committed  <position>@<time>: when the transaction at position was committed, in milliseconds since 1970; ignored if the
//!            position is another, since versions before wrote the position alone
//! stopped    `reset` after a fast reset was detected, until the policy or the stream resolves it
//! generation how often the stream has been reset; absent before the first reset
//! owner      the holder of the lease; absent if the lease is free
//! epoch      how often the lease has been acquired
//! taken_at   when it was acquired, in milliseconds since 1970
//! expires_at when others may acquire it, in milliseconds since 1970
//! successor  the invocation that requests a handover
//! asks_until when the request ends, in milliseconds since 1970
//! ```

mod lease;
mod row;
mod table;
#[cfg(test)]
mod tests;

pub use lease::{AcquiredLease, Checkpoint, CheckpointStatus, Holder, Lease, LeaseStatus, Progress};
pub use table::{CheckpointTable, Checkpoints};
