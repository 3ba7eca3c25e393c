//! LWW registers as attributes: the name after a prefix, the register as text.

use std::{collections::BTreeMap, str::FromStr};

use crate::attribute::{Attributes, get_text};

/// The prefix that distinguishes registers from keys and bookkeeping.
const PREFIX: &str = "r:";

/// The attribute that holds the register `name`.
pub fn attribute_name(name: &str) -> String {
    format!("{PREFIX}{name}")
}

/// The name of the register that an attribute holds, if it holds one.
pub fn register_name(attribute: &str) -> Option<&str> {
    attribute.strip_prefix(PREFIX)
}

/// The registers in a row, by name.
///
/// # Errors
/// If one of them is not the text of a register.
pub fn read<R: FromStr>(row: &Attributes) -> Result<BTreeMap<String, R>, &'static str> {
    let names = row.keys().filter_map(|attribute| Some((attribute, register_name(attribute)?)));
    names
        .map(|(attribute, name)| {
            let register = get_text(row, attribute).and_then(|text| text.parse().ok());
            Ok((name.to_owned(), register.ok_or("an attribute is not a register")?))
        })
        .collect()
}
