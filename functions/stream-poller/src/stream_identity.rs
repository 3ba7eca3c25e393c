//! Whether the stream is still the one from which a commit was published. A fast reset deletes the stream and starts its
//! commit numbers again. Once the new stream has more commits than the old one had, positions alone do not show it.

use neptune_streams::{Client, Error, Kind, Position, Read, Record, Start};

/// A commit that was read, by which a stream is recognised. Commits of two streams differ in their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownCommit {
    /// The number.
    pub commit_num: u64,
    /// The time, in milliseconds since 1970.
    pub committed_at_ms: i64,
}

impl KnownCommit {
    /// The commit of a record; `None` if the record cannot be read, since its time may be missing then.
    pub fn of(record: &Record) -> Option<Self> {
        let (commit_num, committed_at_ms) = (record.position.commit_num, record.commit_timestamp);
        (record.data.kind != Kind::Unreadable).then_some(Self { commit_num, committed_at_ms })
    }
}

/// The result of comparing the stream with a known commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// The stream has the commit.
    Same,
    /// The stream has another commit of this number: a fast reset.
    Replaced,
    /// The stream does not have a commit of this number now: it has expired, or a replica lags behind, or the stream was
    /// reset and is shorter. Reading tells these apart.
    Unknown,
}

/// Reads one record and compares it.
///
/// # Errors
/// As for [`Client::read`], except that an expired commit is [`Identity::Unknown`].
pub async fn compare(stream: &Client, known: KnownCommit) -> Result<Identity, Error> {
    let start = Start::AtSequenceNumber(Position::new(known.commit_num, 1));
    let page = match stream.read(start, 1).await {
        Ok(Read::Page(page)) => page,
        Ok(Read::Idle { .. }) | Err(Error::Expired(_)) => return Ok(Identity::Unknown),
        Err(error) => return Err(error),
    };
    Ok(match page.records.first().and_then(KnownCommit::of) {
        Some(first) if first.commit_num != known.commit_num => Identity::Unknown,
        Some(first) if first == known => Identity::Same,
        Some(_) => Identity::Replaced,
        None => Identity::Unknown,
    })
}
