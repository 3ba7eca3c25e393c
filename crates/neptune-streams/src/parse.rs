//! The body of a response to a [`Page`].

use std::borrow::Cow;

use serde::Deserialize;

use crate::{
    body, fast_parser,
    integer::Integer,
    page::{InvalidPage, Page},
    position::Position,
    record::{Record, WirePosition},
};

impl Page {
    /// Parses the body of a response, gzipped or not.
    ///
    /// Numbers may be strings, `isLastOp` may be missing, and unknown fields are ignored.
    ///
    /// # Errors
    /// If the body is not a page in `PG_JSON` (or `GREMLIN_JSON`, its older name), or inflates to more
    /// than 128 MiB. Reading it again does not help.
    pub fn parse(body: &[u8]) -> Result<Self, InvalidPage> {
        let body = body::decompress(body, body::MAX_BYTES).map_err(InvalidPage::Gzip)?;
        // One check of the whole body is faster than one for each string.
        let json = str::from_utf8(&body)?;
        fast_parser::page(json).map_or_else(|| Self::parse_general(json), Ok)
    }

    /// Parses a page with any field order and white space.
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
    fn documented_page_is_parsed() {
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
    fn gzipped_page_equals_the_plain_one() {
        let gzipped = testing::gzip(testing::DOCUMENTED_PAGE);
        let plain = Page::parse(testing::DOCUMENTED_PAGE.as_bytes()).expect("a page");
        assert_eq!(Page::parse(&gzipped).expect("a page"), plain);
        assert!(matches!(Page::parse(&gzipped[..gzipped.len() - 9]), Err(InvalidPage::Gzip(_))));
    }

    #[test]
    fn page_of_an_older_engine_is_parsed() {
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
    fn other_content_is_an_invalid_page() {
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
        fn malformed_page_is_parsed_or_rejected(bytes in malformed_inputs::bytes(&[testing::DOCUMENTED_PAGE])) {
            if let Ok(page) = Page::parse(&bytes) {
                prop_assert!(page.records.len() <= bytes.len());
            }
            // Valid gzip of a malformed page, and truncated gzip.
            let gzipped = testing::gzip(&String::from_utf8_lossy(&bytes));
            let text = String::from_utf8_lossy(&bytes).into_owned();
            prop_assert_eq!(Page::parse(&gzipped).ok(), Page::parse(text.as_bytes()).ok());
            let _ = Page::parse(&gzipped[..gzipped.len() / 2]);
        }
    }

    #[test]
    fn page_that_inflates_beyond_the_limit_is_rejected() {
        // Concatenated gzip files are one gzip file.
        let mebibyte = testing::gzip(&" ".repeat(1 << 20));
        let bomb = mebibyte.repeat(body::MAX_BYTES.div_ceil(1 << 20) + 1);
        assert!(bomb.len() < 2_000_000, "{}", bomb.len());
        assert!(matches!(Page::parse(&bomb), Err(InvalidPage::Gzip(_))));
    }
}
