//! A parser for pages in exactly the layout that Neptune documents.
//!
//! It expects the field names in the documented order and without white space. That makes it about twice
//! as fast as a general JSON parser. For any other layout it returns `None`, and `Page::parse` uses the
//! general parser. Both parsers return the same result for each page that this one accepts.

use std::{borrow::Cow, str::FromStr};

use domain::graph::{Op, Position};
use serde::de::IgnoredAny;

use crate::{
    page::Page,
    record::{Data, Kind, Record},
    value,
};

/// The average JSON size of a record, in bytes. A too large capacity reserves only address space.
const RECORD_BYTES: usize = 200;

pub(crate) fn page(json: &str) -> Option<Page> {
    let mut parser = Parser { rest: json };
    parser.expect(r#"{"lastEventId":"#)?;
    let last_event_id = parser.position()?;
    parser.expect(r#","lastTrxTimestamp":"#)?;
    let last_transaction_timestamp = parser.integer()?;
    parser.expect(r#","format":"PG_JSON","records":["#)?;
    let mut records = Vec::with_capacity(json.len() / RECORD_BYTES);
    loop {
        records.push(parser.record()?);
        if parser.expect(",").is_none() {
            break;
        }
    }
    parser.expect(r#"],"totalRecords":"#)?;
    parser.integer::<u64>()?;
    parser.expect("}")?;
    let is_end = parser.rest.bytes().all(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
    is_end.then_some(Page {
        records,
        last_event_id: Some(last_event_id),
        last_transaction_timestamp: Some(last_transaction_timestamp),
    })
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn record(&mut self) -> Option<Record> {
        self.expect(r#"{"commitTimestamp":"#)?;
        let commit_timestamp = self.integer()?;
        self.expect(r#","eventId":"#)?;
        let position = self.position()?;
        self.expect(r#","data":"#)?;
        let data = self.data()?;
        self.expect(r#","op":"#)?;
        let op = self.one_of([("\"ADD\"", Op::Add), ("\"REMOVE\"", Op::Remove)])?;
        let is_last_op = self.one_of([("}", false), (r#","isLastOp":true}"#, true)])?;
        Some(Record { position, commit_timestamp, op, data, is_last_op })
    }

    fn data(&mut self) -> Option<Data> {
        self.expect(r#"{"id":"#)?;
        let id = self.string()?.into_owned();
        self.expect(r#","type":"#)?;
        let kind = self.one_of([
            (r#""vp""#, Kind::VertexProperty),
            (r#""vl""#, Kind::VertexLabel),
            (r#""ep""#, Kind::EdgeProperty),
            (r#""e""#, Kind::Edge),
        ])?;
        self.expect(r#","key":"#)?;
        let key = self.string()?.into_owned();
        self.expect(r#","value":{"value":"#)?;
        let json = self.scalar()?;
        self.expect(r#","dataType":"#)?;
        let value = value::from_json(self.string()?, json);
        self.expect("}")?;
        let (mut from, mut to) = (None, None);
        if kind == Kind::Edge {
            self.expect(r#","from":"#)?;
            from = Some(self.string()?.into_owned());
            self.expect(r#","to":"#)?;
            to = Some(self.string()?.into_owned());
        }
        self.expect("}")?;
        Some(Data { id, kind, key, value, from, to })
    }

    fn position(&mut self) -> Option<Position> {
        self.expect(r#"{"commitNum":"#)?;
        let commit_num = self.integer()?;
        self.expect(r#","opNum":"#)?;
        let op_num = self.integer()?;
        self.expect("}")?;
        Some(Position::new(commit_num, op_num))
    }

    fn expect(&mut self, text: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    fn one_of<T, const N: usize>(&mut self, choices: [(&str, T); N]) -> Option<T> {
        choices.into_iter().find_map(|(text, value)| self.expect(text).map(|()| value))
    }

    /// Takes `bytes` bytes; `None` if they end within a character.
    fn take(&mut self, bytes: usize) -> Option<&'a str> {
        let (taken, rest) = self.rest.split_at_checked(bytes)?;
        self.rest = rest;
        Some(taken)
    }

    /// Parses digits without a sign or leading zeros, which JSON forbids.
    fn integer<T: FromStr>(&mut self) -> Option<T> {
        let length = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let digits = self.take(length)?;
        if digits.len() > 1 && digits.starts_with('0') {
            return None;
        }
        digits.parse().ok()
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        let (json, is_plain) = self.quoted()?;
        if is_plain {
            return json.get(1..json.len() - 1).map(Cow::Borrowed);
        }
        serde_json::from_str(json).ok().map(Cow::Owned)
    }

    /// A string with its quotes, and whether it is free of escapes.
    fn quoted(&mut self) -> Option<(&'a str, bool)> {
        let bytes = self.rest.as_bytes();
        if bytes.first() != Some(&b'"') {
            return None;
        }
        let (mut at, mut is_plain) = (1, true);
        loop {
            match bytes.get(at)? {
                b'"' => break,
                b'\\' => {
                    is_plain = false;
                    at += 2;
                }
                // JSON requires control characters to be escaped.
                0..0x20 => return None,
                _ => at += 1,
            }
        }
        Some((self.take(at + 1)?, is_plain))
    }

    /// The JSON text of a string, a number or a bool.
    fn scalar(&mut self) -> Option<&'a str> {
        let (json, is_plain) = match self.rest.as_bytes().first()? {
            b'"' => self.quoted()?,
            _ => {
                let length = self.rest.bytes().take_while(|byte| !b",}] \n\r\t".contains(byte)).count();
                (self.take(length)?, false)
            }
        };
        // serde_json validates everything except plain strings and short integers.
        let is_valid = is_plain || is_short_integer(json) || serde_json::from_str::<IgnoredAny>(json).is_ok();
        (is_valid && !json.starts_with(['[', '{'])).then_some(json)
    }
}

/// Recognises most numbers without a parser.
fn is_short_integer(json: &str) -> bool {
    json.len() < 19 && !json.starts_with('0') && !json.is_empty() && json.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::testing::DOCUMENTED_PAGE;

    /// A page in the documented layout, with a record of each kind.
    fn documented_layout(id: &str, value: &str, data_type: &str) -> String {
        let (id, data_type) = (json!(id), json!(data_type));
        let record = |op_num: usize, kind: &str, endpoints: &str, tail: &str| {
            format!(
                r#"{{"commitTimestamp":1560011610678,"eventId":{{"commitNum":12,"opNum":{op_num}}},"data":{{"id":{id},"type":"{kind}","key":{id},"value":{{"value":{value},"dataType":{data_type}}}{endpoints}}},"op":"REMOVE"{tail}}}"#
            )
        };
        let endpoints = format!(r#","from":{id},"to":"b""#);
        let records = [
            record(1, "vl", "", ""),
            record(2, "vp", "", ""),
            record(3, "e", &endpoints, ""),
            record(4, "ep", "", r#","isLastOp":true"#),
        ];
        format!(
            r#"{{"lastEventId":{{"commitNum":12,"opNum":4}},"lastTrxTimestamp":1560011610678,"format":"PG_JSON","records":[{}],"totalRecords":4}}"#,
            records.join(",")
        )
    }

    #[test]
    fn documented_page_is_parsed() {
        assert_eq!(page(DOCUMENTED_PAGE), Page::parse_general(DOCUMENTED_PAGE).ok());
        assert!(page(DOCUMENTED_PAGE).is_some());
    }

    #[test]
    fn other_layouts_fall_back_to_the_general_parser() {
        for other in [
            DOCUMENTED_PAGE.replace(':', ": "),
            DOCUMENTED_PAGE.replace("PG_JSON", "GREMLIN_JSON"),
            DOCUMENTED_PAGE.replace("\"opNum\":1", "\"opNum\":\"1\""),
            DOCUMENTED_PAGE.replace("\"op\":\"ADD\",\"isLastOp\":true", "\"isLastOp\":true,\"op\":\"ADD\""),
            DOCUMENTED_PAGE.replace("\"vertex\"", "{\"a\":[1]}"),
            DOCUMENTED_PAGE.replace("\"vertex\"", "null"),
        ] {
            assert!(Page::parse_general(&other).is_ok(), "{other}");
            assert_eq!(Page::parse(other.as_bytes()).ok(), Page::parse_general(&other).ok(), "{other}");
        }
    }

    proptest! {
        #[test]
        fn ids_and_values_parse_as_in_the_general_parser(
            id: String,
            value in prop_oneof![
                any::<String>().prop_map(|text| json!(text)),
                any::<i64>().prop_map(|number| json!(number)),
                any::<f64>().prop_map(|number| json!(number)).prop_filter("a number", |number| !number.is_null()),
                any::<bool>().prop_map(|truth| json!(truth)),
            ],
            data_type in "(String|date|Bool|byte|Short|int|Long|FLOAT|Double|Geo)",
        ) {
            let json = documented_layout(&id, &value.to_string(), &data_type);
            let found = page(&json);
            prop_assert!(found.is_some(), "{}", json);
            prop_assert_eq!(found, Page::parse_general(&json).ok());
        }

        #[test]
        fn malformed_page_is_rejected_or_parses_as_in_the_general_parser(
            at: prop::sample::Index,
            length in 0_usize..3,
            with in prop_oneof![
                "[ -~]{0,2}",
                Just("\\".to_owned()),
                Just("\"".to_owned()),
                Just("\u{1}".to_owned()),
                Just("0".to_owned()),
                Just("null".to_owned()),
            ],
            value in prop_oneof![Just("-1.5e3"), Just("\"a\\u00e9\\\"b\""), Just("12"), Just("false")],
        ) {
            let mut json = documented_layout("v1", value, "Double");
            let at = at.index(json.len() - length);
            json.replace_range(at..at + length, &with);
            if let Some(found) = page(&json) {
                prop_assert_eq!(Some(found), Page::parse_general(&json).ok(), "{}", json);
            }
        }
    }
}
