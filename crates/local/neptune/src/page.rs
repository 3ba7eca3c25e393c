use std::fmt::Write as _;

use super::record::EventId;

/// A page of consecutive records.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// The body of the response.
    pub json: Vec<u8>,
    /// The last record.
    pub last: EventId,
    /// Number of records.
    pub total: usize,
    /// The hidden commits within the page.
    pub skipped_commits: Vec<u64>,
    /// Whether [`View::truncate_at_op`] ended the page.
    pub was_truncated: bool,
}

/// Builds a page from slices of serialized commits.
#[derive(Default)]
pub struct PageBuilder<'a> {
    slices: Vec<&'a [u8]>,
    /// Total length of the slices.
    pub bytes: usize,
    /// Number of records.
    pub total: usize,
    /// The last record and its commit time.
    pub end: Option<(EventId, i64)>,
}

impl<'a> PageBuilder<'a> {
    /// Adds `total` records of the commit at `timestamp`, with `last` as their last.
    pub fn push(&mut self, slice: &'a [u8], total: usize, last: EventId, timestamp: i64) {
        self.slices.push(slice);
        self.bytes += slice.len();
        self.total += total;
        self.end = Some((last, timestamp));
    }

    /// The body of the response.
    pub fn json(&self, (last, timestamp): (EventId, i64)) -> Vec<u8> {
        let EventId { commit_num, op_num } = last;
        let mut start = String::new();
        // Writing to a string cannot fail.
        let _ = write!(
            start,
            r#"{{"lastEventId":{{"commitNum":{commit_num},"opNum":{op_num}}},"lastTrxTimestamp":{timestamp},"format":"PG_JSON","records":["#
        );
        let end = format!(r#"],"totalRecords":{}}}"#, self.total);
        let mut json = Vec::with_capacity(start.len() + self.bytes + self.slices.len() + end.len());
        json.extend_from_slice(start.as_bytes());
        for (index, slice) in self.slices.iter().enumerate() {
            if index > 0 {
                json.push(b',');
            }
            json.extend_from_slice(slice);
        }
        json.extend_from_slice(end.as_bytes());
        json
    }
}
