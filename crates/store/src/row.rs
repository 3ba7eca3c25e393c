//! Serialising and deserialising rows.

use function_kit::failure::Failure;
use serde::{Serialize, de::DeserializeOwned};

use crate::attribute::Attributes;

/// Deserialises a row.
///
/// # Errors
/// `Failure::bug` if the row does not have the form that this version writes.
pub fn read<T: DeserializeOwned>(doing: &'static str, row: Attributes) -> Result<T, Failure> {
    serde_dynamo::from_item(row).map_err(|error| Failure::bug(doing, without_values(&error)))
}

/// Serialises a row.
pub fn write(doing: &'static str, row: impl Serialize) -> Result<Attributes, Failure> {
    serde_dynamo::to_item(row).map_err(|error| Failure::bug(doing, without_values(&error)))
}

/// The error without values of the row, which deserializers quote: tokens and names must not be logged. The name of a
/// missing field is safe: it comes from the row's type.
pub fn without_values(error: &impl std::error::Error) -> String {
    let text = error.to_string();
    // `serde_json` adds the place.
    let text = text.split(" at line ").next().unwrap_or_default();
    if text.starts_with("missing field") { text.to_owned() } else { "the row has an unexpected form".to_owned() }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::*;
    use crate::attribute::{number, text};

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Platform {
        Android,
    }

    #[derive(Debug, serde::Deserialize)]
    #[allow(dead_code, reason = "only read")]
    struct Row {
        token: Platform,
        seen: u32,
    }

    fn failure(token: AttributeValue, seen: Option<AttributeValue>) -> String {
        let mut row = Attributes::from([("token".to_owned(), token)]);
        row.extend(seen.map(|seen| ("seen".to_owned(), seen)));
        read::<Row>("read a row", row).expect_err("a failure").to_string()
    }

    #[test]
    fn unreadable_row_is_reported_without_its_values() {
        let secret = || text("s3cr3t");
        let valid = || text("android");
        let row = [("token".into(), valid()), ("seen".into(), number(7))];
        assert!(read::<Row>("read a row", row.into()).is_ok());
        assert_eq!(failure(valid(), None), "could not read a row: missing field `seen`");
        for failure in
            [failure(secret(), Some(number(7))), failure(valid(), Some(secret())), failure(number(7), Some(number(7)))]
        {
            assert_eq!(failure, "could not read a row: the row has an unexpected form");
        }
    }
}
