//! Values of DynamoDB attributes.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

/// A row, or the key of one.
pub type Attributes = HashMap<String, AttributeValue>;

/// A string.
pub fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number.
pub fn number(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// A time as a number, in milliseconds since 1970.
pub fn milliseconds(time: Timestamp) -> AttributeValue {
    number(time.as_millisecond())
}

/// A time as a number, in seconds since 1970: the unit of a table's time to live.
pub fn seconds(time: Timestamp) -> AttributeValue {
    number(time.as_second())
}

/// The string in the attribute `name`, if there is one.
pub fn get_text<'a>(row: &'a Attributes, name: &str) -> Option<&'a str> {
    row.get(name)?.as_s().ok().map(String::as_str)
}
