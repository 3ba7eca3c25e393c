//! The body of a response to a [`Page`].

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

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
        let records = wire.records.into_iter().map(|record| Record::parse(record.get())).collect::<Result<_, _>>()?;
        Ok(Self {
            records,
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
    /// Read when the format is known: another graph model has other fields.
    #[serde(borrow)]
    records: Vec<&'a RawValue>,
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
            &testing::DOCUMENTED_PAGE.replace(r#""opNum":1"#, r#""opNum":-1"#),
            &testing::DOCUMENTED_PAGE[..testing::DOCUMENTED_PAGE.len() - 2],
        ] {
            assert!(matches!(Page::parse(body.as_bytes()), Err(InvalidPage::Json(_))), "{body}");
        }
        assert!(matches!(Page::parse(b"\xff"), Err(InvalidPage::Utf8(_))));
    }

    /// A record of RDF has a statement instead of id, key and value.
    #[test]
    fn page_of_another_graph_model_is_named() {
        let rdf = r#"{"lastEventId":{"commitNum":1,"opNum":1},"lastTrxTimestamp":5,"format":"NQUADS","records":[
            {"commitTimestamp":5,"eventId":{"commitNum":1,"opNum":1},"data":{"stmt":"<urn:a> <urn:b> <urn:c> ."},"op":"ADD"}],"totalRecords":1}"#;
        assert!(matches!(Page::parse(rdf.as_bytes()), Err(InvalidPage::Format(format)) if format == "NQUADS"));
    }

    #[test]
    fn odd_fields_of_a_record_are_parsed() {
        for (documented, odd) in [
            (r#""isLastOp":true"#, r#""isLastOp":"true""#),
            (r#""id":"d2b59bf8-0d0f-218b-f68b-2aa7b0b1904a""#, r#""id":42"#),
            (r#""dataType":"String""#, r#""dataType":null"#),
            (r#","dataType":"String""#, ""),
        ] {
            assert!(testing::DOCUMENTED_PAGE.contains(documented), "{documented}");
            let page = testing::DOCUMENTED_PAGE.replace(documented, odd);
            let page = Page::parse(page.as_bytes()).expect("a page");
            let record = &page.records[0];
            assert_eq!((record.position, record.data.kind), (Position::new(12, 1), Kind::VertexLabel), "{odd}");
            assert!(record.is_last_op, "{odd}");
        }
        let numeric = testing::DOCUMENTED_PAGE.replace(r#""d2b59bf8-0d0f-218b-f68b-2aa7b0b1904a""#, "42");
        assert_eq!(Page::parse(numeric.as_bytes()).expect("a page").records[0].data.id, "42");
    }

    #[test]
    fn record_that_cannot_be_read_keeps_its_position_and_the_others() {
        let good = r#"{"commitTimestamp":5,"eventId":{"commitNum":12,"opNum":2},"data":{"id":"b","type":"vl","key":"label","value":{"value":"v","dataType":"String"}},"op":"ADD","isLastOp":true}"#;
        for odd in [
            r#"{"commitTimestamp":5,"eventId":{"commitNum":12,"opNum":1},"data":{"id":"a","type":"xx","key":"k","value":{"value":1,"dataType":"Int"}},"op":"ADD"}"#,
            r#"{"commitTimestamp":5,"eventId":{"commitNum":12,"opNum":1},"data":{"id":"a","type":"e","key":"label","value":{"value":"l","dataType":"String"}},"op":"ADD"}"#,
            r#"{"commitTimestamp":5,"eventId":{"commitNum":12,"opNum":1},"data":{"id":"a","type":"vl","key":"label","value":{"value":"l","dataType":"String"}},"op":"UPDATE"}"#,
            r#"{"commitTimestamp":"soon","eventId":{"commitNum":12,"opNum":1},"data":null,"op":"ADD","isLastOp":7}"#,
            r#"{"eventId":{"commitNum":12,"opNum":1}}"#,
        ] {
            let page =
                format!(r#"{{"lastEventId":null,"format":"PG_JSON","records":[{odd},{good}],"totalRecords":2}}"#);
            let records = Page::parse(page.as_bytes()).expect("a page").records;
            let [unreadable, other] = &records[..] else { panic!("{records:?}") };
            assert_eq!((unreadable.position, unreadable.data.kind), (Position::new(12, 1), Kind::Unreadable), "{odd}");
            assert!(matches!(&unreadable.data.value, Value::Unrecognized { json, .. } if json == odd), "{odd}");
            assert_eq!((other.position, other.data.kind), (Position::new(12, 2), Kind::VertexLabel), "{odd}");
        }
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
