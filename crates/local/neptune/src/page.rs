use std::fmt::Write as _;

use super::record::EventId;

/// Records in a row.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// The answer's body.
    pub json: Vec<u8>,
    /// The last record in it.
    pub last: EventId,
    /// How many there are.
    pub total: usize,
    /// The hidden commits that the page leaps over.
    pub leapt: Vec<u64>,
    /// Whether [`View::cut_at_op`] ended it.
    pub was_cut: bool,
}

/// A page in the making: pieces of commits.
#[derive(Default)]
pub struct Slices<'a> {
    pieces: Vec<&'a [u8]>,
    /// Bytes so far.
    pub bytes: usize,
    /// Records so far.
    pub total: usize,
    /// The last record and its timestamp.
    pub end: Option<(EventId, i64)>,
}

impl<'a> Slices<'a> {
    /// Adds `total` records, which end with `last`, of a commit that was requested at `timestamp`.
    pub fn push(&mut self, piece: &'a [u8], total: usize, last: EventId, timestamp: i64) {
        self.pieces.push(piece);
        self.bytes += piece.len();
        self.total += total;
        self.end = Some((last, timestamp));
    }

    /// The answer's body.
    pub fn json(&self, (last, timestamp): (EventId, i64)) -> Vec<u8> {
        let EventId { commit_num, op_num } = last;
        let mut start = String::new();
        // Writing to a string cannot fail.
        let _ = write!(
            start,
            r#"{{"lastEventId":{{"commitNum":{commit_num},"opNum":{op_num}}},"lastTrxTimestamp":{timestamp},"format":"PG_JSON","records":["#
        );
        let end = format!(r#"],"totalRecords":{}}}"#, self.total);
        let mut json = Vec::with_capacity(start.len() + self.bytes + self.pieces.len() + end.len());
        json.extend_from_slice(start.as_bytes());
        for (index, piece) in self.pieces.iter().enumerate() {
            if index > 0 {
                json.push(b',');
            }
            json.extend_from_slice(piece);
        }
        json.extend_from_slice(end.as_bytes());
        json
    }
}
