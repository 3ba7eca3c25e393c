use std::borrow::Cow;

use serde::Deserialize;
use thiserror::Error;

use crate::{
    body,
    position::Position,
    record::{Record, WirePosition},
    scan,
    wire::Integer,
};

/// One answer of the Streams endpoint.
///
/// Pages are cut by number of records and by size, without regard to transactions: hand them to a
/// [`TransactionAssembler`](crate::TransactionAssembler).
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The changes, in the stream's order.
    pub records: Vec<Record>,
    /// The position of the last record, as the page's head has it.
    pub last_event_id: Option<Position>,
    /// When the last record's commit was requested, in milliseconds since 1970.
    pub last_transaction_timestamp: Option<i64>,
}

impl Page {
    /// Reads the body of an answer, gzipped or not.
    ///
    /// Numbers may be strings, `isLastOp` may be missing, and fields that are not known here are
    /// passed over.
    ///
    /// # Errors
    /// If it inflates to more than 128 MiB, which no page does, or the body is no page in `PG_JSON` (or `GREMLIN_JSON`, its older name). It will not become
    /// one by being read again.
    pub fn parse(body: &[u8]) -> Result<Self, InvalidPage> {
        let body = body::decompressed(body, body::MAX_BYTES).map_err(InvalidPage::Gzip)?;
        // Checked once for all, instead of string by string.
        let json = str::from_utf8(&body)?;
        scan::page(json).map_or_else(|| Self::parse_general(json), Ok)
    }

    /// Whatever its layout.
    pub(crate) fn parse_general(json: &str) -> Result<Self, InvalidPage> {
        let wire: WirePage = serde_json::from_str(json)?;
        match wire.format.as_deref() {
            None | Some("PG_JSON" | "GREMLIN_JSON") => {}
            Some(other) => return Err(InvalidPage::Format(other.to_owned())),
        }
        Ok(Self {
            records: wire.records,
            last_event_id: wire.last_event_id.map(Position::from),
            last_transaction_timestamp: wire.last_trx_timestamp.map(|Integer(timestamp)| timestamp),
        })
    }

    /// The position from which reading goes on: that of the last record.
    pub fn last_position(&self) -> Option<Position> {
        self.records.last().map(|record| record.position)
    }
}

/// An answer that is no page.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InvalidPage {
    /// Damaged gzip.
    #[error("the page is not what gzip made of it")]
    Gzip(#[source] std::io::Error),
    /// Not text.
    #[error("the page is not UTF-8")]
    Utf8(#[from] std::str::Utf8Error),
    /// Not JSON, or not a page.
    #[error("the page is not what Neptune documents")]
    Json(#[from] serde_json::Error),
    /// Another graph model, such as RDF's `NQUADS`.
    #[error("the page is in the format {0}, not in PG_JSON")]
    Format(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePage<'a> {
    last_event_id: Option<WirePosition>,
    last_trx_timestamp: Option<Integer<i64>>,
    #[serde(borrow)]
    format: Option<Cow<'a, str>>,
    records: Vec<Record>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Data, Kind, Op, Value, testing};

    #[test]
    fn reads_the_documented_page() {
        let page = Page::parse(testing::DOCUMENTED_PAGE.as_bytes()).expect("a page");
        let record = Record {
            position: Position::new(12, 1),
            commit_timestamp: 1_560_011_610_678,
            op: Op::Add,
            data: Data {
                id: "d2b59bf8-0d0f-218b-f68b-2aa7b0b1904a".to_owned(),
                kind: Kind::VertexLabel,
                key: "label".to_owned(),
                value: Value::String("vertex".to_owned()),
                from: None,
                to: None,
            },
            is_last_op: true,
        };
        assert_eq!(page.last_position(), Some(record.position));
        assert_eq!(
            page,
            Page {
                last_event_id: Some(record.position),
                last_transaction_timestamp: Some(1_560_011_610_678),
                records: vec![record],
            }
        );
    }

    #[test]
    fn reads_the_same_page_gzipped() {
        let gzipped = testing::gzip(testing::DOCUMENTED_PAGE);
        let plain = Page::parse(testing::DOCUMENTED_PAGE.as_bytes()).expect("a page");
        assert_eq!(Page::parse(&gzipped).expect("a page"), plain);
        assert!(matches!(Page::parse(&gzipped[..gzipped.len() - 9]), Err(InvalidPage::Gzip(_))));
    }

    #[test]
    fn reads_what_older_engines_and_the_model_write() {
        let page = r#"{"records":[{"op":"REMOVE","extra":{"a":[1,{}]},
            "eventId":{"opNum":"2","commitNum":"9223372036854775807","x":null},"commitTimestamp":"5",
            "data":{"to":"b","from":"a","value":{"dataType":"String","value":"knows"},"key":"label","type":"e","id":"\u0065"}}],
            "format":"GREMLIN_JSON","lastEventId":null,"totalRecords":"1"}"#;
        let page = Page::parse(page.as_bytes()).expect("a page");
        let record = &page.records[0];
        assert_eq!(record.position, Position::new(9_223_372_036_854_775_807, 2));
        assert_eq!((record.op, record.commit_timestamp, record.is_last_op), (Op::Remove, 5, false));
        assert_eq!((record.data.kind, record.data.id.as_str()), (Kind::Edge, "e"));
        assert_eq!((record.data.from.as_deref(), record.data.to.as_deref()), (Some("a"), Some("b")));
        assert_eq!((page.last_event_id, page.last_transaction_timestamp), (None, None));
    }

    #[test]
    fn refuses_what_is_no_page() {
        for body in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"records":[{}]}"#,
            r#"{"records":null}"#,
            &testing::DOCUMENTED_PAGE.replace("vl", "xx"),
            &testing::DOCUMENTED_PAGE.replace("\"vl\"", "\"e\""),
            &testing::DOCUMENTED_PAGE.replace("ADD", "UPDATE"),
            &testing::DOCUMENTED_PAGE.replace(r#""opNum":1"#, r#""opNum":-1"#),
            &testing::DOCUMENTED_PAGE[..testing::DOCUMENTED_PAGE.len() - 2],
        ] {
            assert!(matches!(Page::parse(body.as_bytes()), Err(InvalidPage::Json(_))), "{body}");
        }
        assert!(matches!(Page::parse(b"\xff"), Err(InvalidPage::Utf8(_))));
        let rdf = testing::DOCUMENTED_PAGE.replace("PG_JSON", "NQUADS");
        assert!(matches!(Page::parse(rdf.as_bytes()), Err(InvalidPage::Format(format)) if format == "NQUADS"));
    }

    proptest! {
        #[test]
        fn a_damaged_page_is_read_or_refused(bytes in malformed_inputs::bytes(&[testing::DOCUMENTED_PAGE])) {
            if let Ok(page) = Page::parse(&bytes) {
                prop_assert!(page.records.len() <= bytes.len());
            }
            // Damaged behind gzip, and gzip itself damaged.
            let zipped = testing::gzip(&String::from_utf8_lossy(&bytes));
            let text = String::from_utf8_lossy(&bytes).into_owned();
            prop_assert_eq!(Page::parse(&zipped).ok(), Page::parse(text.as_bytes()).ok());
            let _ = Page::parse(&zipped[..zipped.len() / 2]);
        }
    }

    #[test]
    fn what_inflates_beyond_all_measure_is_refused() {
        // Files of gzip one after the other are one.
        let mebibyte = testing::gzip(&" ".repeat(1 << 20));
        let bomb = mebibyte.repeat(body::MAX_BYTES.div_ceil(1 << 20) + 1);
        assert!(bomb.len() < 2_000_000, "{}", bomb.len());
        assert!(matches!(Page::parse(&bomb), Err(InvalidPage::Gzip(_))));
    }
}
