//! Damage to the structure of JSON.

use std::ops::Range;

use proptest::prelude::*;

use crate::{
    samples::{NUMBERS, text},
    select::one_of,
};

/// Depth of excessive nesting. The limit of `serde_json` is 128.
const DEEP: usize = 2_000;

/// A part of a document: a value, or a member of an object with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    range: Range<usize>,
    /// Range of the value alone.
    value: Range<usize>,
    is_member: bool,
}

/// Damage to one part.
#[derive(Debug, Clone)]
enum Damage {
    /// Replaces its value.
    Replace(String),
    /// Removes a member; replaces an item of an array, or a whole document, by `null`.
    Remove,
    /// Repeats it with this value.
    Repeat(String),
    /// Adds an unknown member, or an item, with this value before it.
    InsertBefore(String),
    /// Renames a member.
    Rename(String),
    /// Nests its value in this many arrays.
    Nest(usize),
    /// Replaces its value by that of another part.
    Copy(prop::sample::Index),
}

/// One of `documents`, which must be JSON, with one or two parts damaged. Some results are not JSON.
///
/// # Panics
/// If `documents` is empty.
pub fn json(documents: &[&str]) -> BoxedStrategy<String> {
    let damage = prop_oneof![
        6 => value().prop_map(Damage::Replace),
        2 => Just(Damage::Remove),
        2 => value().prop_map(Damage::Repeat),
        2 => value().prop_map(Damage::InsertBefore),
        1 => text().prop_map(Damage::Rename),
        1 => prop_oneof![Just(1), Just(DEEP)].prop_map(Damage::Nest),
        2 => any::<prop::sample::Index>().prop_map(Damage::Copy),
    ];
    let damages = prop::collection::vec((any::<prop::sample::Index>(), damage), 1..3);
    (one_of(documents), damages)
        .prop_map(|(document, damages)| {
            damages.into_iter().fold(document, |document, (at, damage)| {
                let parts = parts(&document);
                if parts.is_empty() { document } else { damage.apply(&document, &parts, at) }
            })
        })
        .boxed()
}

/// Text of a value. It may be invalid JSON, for example a lone surrogate.
fn value() -> BoxedStrategy<String> {
    let odd =
        ["null", "true", "false", "[]", "{}", "[[]]", "{\"\":{}}", "\"\\ud800\"", "\"\\u0000\"", "nul", "\"", "\\", ""];
    let mut repeated = vec!["[".repeat(DEEP), "{\"a\":".repeat(DEEP)];
    repeated.push(format!("{}{}", "[".repeat(DEEP), "]".repeat(DEEP)));
    repeated.push("9".repeat(DEEP));
    prop_oneof![
        4 => prop::sample::select(odd.to_vec()).prop_map(str::to_owned),
        3 => prop::sample::select(NUMBERS.to_vec()).prop_map(str::to_owned),
        2 => prop::sample::select(NUMBERS.to_vec()).prop_map(|number| format!("\"{number}\"")),
        4 => text().prop_map(|text| quoted(&text)),
        1 => prop::sample::select(repeated),
    ]
    .boxed()
}

impl Damage {
    fn apply(self, document: &str, parts: &[Part], at: prop::sample::Index) -> String {
        let part = &parts[at.index(parts.len())];
        let (before, after) = (&document[..part.range.start], &document[part.range.end..]);
        let name = &document[part.range.start..part.value.start];
        let value = &document[part.value.clone()];
        match self {
            Self::Replace(other) => format!("{before}{name}{other}{after}"),
            Self::Remove if part.is_member => match after.strip_prefix(',') {
                Some(after) => format!("{before}{after}"),
                None => format!("{}{after}", before.strip_suffix(',').unwrap_or(before)),
            },
            Self::Remove => format!("{before}null{after}"),
            Self::Repeat(other) => format!("{before}{name}{value},{name}{other}{after}"),
            Self::InsertBefore(other) if part.is_member => {
                format!("{before}\"unknown member\":{other},{name}{value}{after}")
            }
            Self::InsertBefore(other) => format!("{before}{other},{value}{after}"),
            Self::Rename(other) if part.is_member => format!("{before}{}:{value}{after}", quoted(&other)),
            Self::Rename(other) => format!("{before}{}{after}", quoted(&other)),
            Self::Nest(depth) => format!("{before}{name}{}{value}{}{after}", "[".repeat(depth), "]".repeat(depth)),
            Self::Copy(from) => {
                let other = &parts[from.index(parts.len())];
                format!("{before}{name}{}{after}", &document[other.value.clone()])
            }
        }
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c < ' ' => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// All parts of a document, up to the first syntax error.
fn parts(document: &str) -> Vec<Part> {
    let mut reader = Reader { bytes: document.as_bytes(), at: 0, parts: Vec::new() };
    // An unterminated value ends the search; the parts before it are kept.
    let _ = reader.value(None, 0);
    let is_out_of_bounds =
        |part: &Part| document.get(part.range.clone()).is_none() || document.get(part.value.clone()).is_none();
    reader.parts.retain(|part| !is_out_of_bounds(part));
    reader.parts
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    parts: Vec<Part>,
}

impl Reader<'_> {
    /// Parses a value; `member` is the start of its name.
    fn value(&mut self, member: Option<usize>, depth: usize) -> Option<()> {
        self.space();
        let start = self.at;
        match *self.bytes.get(start)? {
            // Deeper than any undamaged document.
            b'[' | b'{' if depth > 64 => return None,
            b'[' => self.items(|reader| reader.value(None, depth + 1))?,
            b'{' => self.items(|reader| {
                let name = reader.at;
                reader.string()?;
                reader.space();
                reader.take(b':')?;
                reader.value(Some(name), depth + 1)
            })?,
            b'"' => self.string()?,
            _ => {
                let length = self.bytes[start..].iter().take_while(|byte| !b",]} \n\r\t:".contains(byte)).count();
                self.at += length;
                (length > 0).then_some(())?;
            }
        }
        let range = member.unwrap_or(start)..self.at;
        self.parts.push(Part { range, value: start..self.at, is_member: member.is_some() });
        Some(())
    }

    fn items(&mut self, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.at += 1;
        self.space();
        while !matches!(self.bytes.get(self.at)?, b']' | b'}') {
            item(self)?;
            self.space();
            if self.bytes.get(self.at)? == &b',' {
                self.at += 1;
                self.space();
            }
        }
        self.at += 1;
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        self.take(b'"')?;
        loop {
            match self.bytes.get(self.at)? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.take(b'"')
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (*self.bytes.get(self.at)? == byte).then(|| self.at += 1)
    }

    fn space(&mut self) {
        self.at +=
            self.bytes[self.at.min(self.bytes.len())..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    }
}

#[cfg(test)]
mod tests {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};

    use super::*;

    #[test]
    fn parts_of_a_document_are_found() {
        let document = r#"{"a": [1, "x\"y"], "b": {"c": null}}"#;
        let found: Vec<_> = parts(document).into_iter().map(|part| &document[part.range]).collect();
        assert_eq!(found, ["1", r#""x\"y""#, r#""a": [1, "x\"y"]"#, r#""c": null"#, r#""b": {"c": null}"#, document]);
        for broken in ["", "{", "[1", "{\"a\"", "\"\\", "[[[[", "]", "{\"a\":}"] {
            assert!(parts(broken).len() < 3, "{broken}");
        }
    }

    #[test]
    fn damage_is_of_every_kind() {
        let documents = [r#"{"a":[1,2],"b":{"c":"d"}}"#];
        let mut runner = TestRunner::deterministic();
        let damaged: Vec<_> =
            (0..2_000).map(|_| json(&documents).new_tree(&mut runner).expect("a document").current()).collect();
        for what in
            ["\"b\":{\"c\":\"d\"},\"b\":", "\\ud800", "[[[[[", "18446744073709551616", "unknown member", "\\u0000"]
        {
            assert!(damaged.iter().any(|document| document.contains(what)), "{what}");
        }
        assert!(damaged.iter().filter(|document| document.as_str() == documents[0]).count() < 200);
    }
}
