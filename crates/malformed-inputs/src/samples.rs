//! Sample values, used by themselves and within damaged documents.

use proptest::prelude::*;

/// Texts that parsers easily mistake or cut at the wrong place.
pub const TEXTS: [&str; 24] = [
    "",
    " ",
    "\0",
    "\u{1b}[2J",
    "\r\n",
    "\u{7f}",
    "\u{202e}gpj.exe",
    "\u{feff}",
    "\u{fffe}\u{ffff}",
    "\u{10ffff}",
    "\u{1112}\u{1161}\u{11ab}",
    "👩‍👩‍👧‍👦",
    "../../etc/passwd",
    "..",
    "a/b",
    "%00%2e%2e%ff",
    "null",
    "-1",
    "0x10",
    "9223372036854775808/1",
    "1e400",
    "NaN",
    "*",
    "W/\"",
];

/// JSON numbers at and beyond the limits of types.
pub const NUMBERS: [&str; 14] = [
    "0",
    "-0",
    "-1",
    "1.0",
    "1e2",
    "1.5",
    "255",
    "4294967296",
    "9007199254740993",
    "9223372036854775808",
    "18446744073709551616",
    "1e400",
    "-1e-400",
    "123456789012345678901234567890123456789012345678901234567890",
];

/// A text of any kind, sometimes long.
pub fn text() -> BoxedStrategy<String> {
    let any_length = (prop::sample::select(vec!["a", "가", "\u{0}", "/", "\"", "👍", "["]), 1_usize..3_000);
    prop_oneof![
        3 => any::<String>(),
        3 => prop::sample::select(TEXTS.to_vec()).prop_map(str::to_owned),
        2 => "[ -~]{0,40}",
        1 => any_length.prop_map(|(of, length)| of.repeat(length)),
    ]
    .boxed()
}
