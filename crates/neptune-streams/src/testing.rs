//! Test data shared by several modules.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;

use crate::{Data, Kind, Op, Page, Position, Record, Value};

/// The example from Neptune's documentation.
pub(crate) const DOCUMENTED_PAGE: &str = include_str!("../tests/documented-page.json");

pub(crate) fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

/// A record whose content depends on its position only.
pub(crate) fn record(commit_num: u64, op_num: u64, is_last_op: bool) -> Record {
    Record {
        position: Position::new(commit_num, op_num),
        commit_timestamp: 1_560_011_610_678,
        op: Op::Add,
        data: Data {
            id: format!("v{commit_num}"),
            kind: Kind::VertexProperty,
            key: format!("p{op_num}"),
            value: Value::String("x".repeat(op_num as usize % 7)),
            from: None,
            to: None,
        },
        is_last_op,
    }
}

pub(crate) fn page(records: Vec<Record>) -> Page {
    Page {
        last_event_id: records.last().map(|record| record.position),
        last_transaction_timestamp: records.last().map(|record| record.commit_timestamp),
        records,
    }
}

/// Random transactions. `is_marked`: the last record of each has `is_last_op`, as on newer engines.
pub(crate) fn history(is_marked: bool) -> impl Strategy<Value = Vec<Vec<Record>>> {
    prop::collection::vec(1_u64..9, 1..20).prop_map(move |sizes| {
        let commit = |(index, size): (usize, u64)| {
            (1..=size).map(|op_num| record(index as u64 + 1, op_num, is_marked && op_num == size)).collect()
        };
        sizes.into_iter().enumerate().map(commit).collect()
    })
}

/// Cuts the records into pages of the given sizes, repeated as needed.
pub(crate) fn cut_into_pages(history: &[Vec<Record>], sizes: &[usize]) -> Vec<Page> {
    let mut records = history.concat().into_iter().peekable();
    let mut sizes = sizes.iter().cycle();
    let mut pages = Vec::new();
    while records.peek().is_some() {
        let size = *sizes.next().expect("a size");
        pages.push(page(records.by_ref().take(size).collect()));
    }
    pages
}
