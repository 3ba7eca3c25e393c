//! What several tests use.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;

use crate::{Data, Kind, Op, Page, Position, Record, Value};

/// The example of Neptune's documentation.
pub(crate) const DOCUMENTED_PAGE: &str = include_str!("../tests/documented-page.json");

pub(crate) fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("written");
    encoder.finish().expect("compressed")
}

/// A record whose content is its position.
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

/// Transactions of any size; `marked` as newer engines mark their ends.
pub(crate) fn history(marked: bool) -> impl Strategy<Value = Vec<Vec<Record>>> {
    prop::collection::vec(1_u64..9, 1..20).prop_map(move |sizes| {
        let commit = |(index, size): (usize, u64)| {
            (1..=size).map(|op_num| record(index as u64 + 1, op_num, marked && op_num == size)).collect()
        };
        sizes.into_iter().enumerate().map(commit).collect()
    })
}

/// The same records in pages of the sizes given, over and over.
pub(crate) fn cut(history: &[Vec<Record>], sizes: &[usize]) -> Vec<Page> {
    let mut records = history.concat().into_iter().peekable();
    let mut sizes = sizes.iter().cycle();
    let mut pages = Vec::new();
    while records.peek().is_some() {
        let size = *sizes.next().expect("a size");
        pages.push(page(records.by_ref().take(size).collect()));
    }
    pages
}
