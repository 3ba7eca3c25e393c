//! The end of a transaction, if its last record is not marked or was not read.

use neptune_streams::{Client, Error, Position, Read, Start};

/// What a replica has behind a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behind {
    /// Another transaction: the record is the last one of its own.
    AnotherTransaction,
    /// Nothing. Neptune shows transactions atomically, so the record is the last one if the engine marks none.
    Nothing,
    /// More of the transaction, or the replica lacks the record.
    Unknown,
}

impl Behind {
    /// By a response that starts at `record`. One that starts after it may be of a replica that lags behind.
    pub fn of(record: Position, found: &Read) -> Self {
        let Read::Page(page) = found else { return Self::Unknown };
        match page.records.as_slice() {
            [first, next, ..] if first.position == record && next.position.commit_num != record.commit_num => {
                Self::AnotherTransaction
            }
            [first] if first.position == record => Self::Nothing,
            _ => Self::Unknown,
        }
    }
}

/// Reads the record at `position` and the next one.
///
/// # Errors
/// As for [`Client::read`].
pub async fn read_at(stream: &Client, position: Position) -> Result<Read, Error> {
    stream.read(Start::AtSequenceNumber(position), 2).await
}
