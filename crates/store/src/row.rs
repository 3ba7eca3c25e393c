//! Reading rows, and what logs learn of those that cannot be read.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use function_kit::failure::Failure;
use serde::de::DeserializeOwned;

/// What a row says; `doing` is what for.
///
/// # Errors
/// `Failure::bug` if it has another form than this version writes.
pub fn read<T: DeserializeOwned>(doing: &'static str, row: HashMap<String, AttributeValue>) -> Result<T, Failure> {
    serde_dynamo::from_item(row).map_err(|error| Failure::bug(doing, misread(&error)))
}

/// What was wrong with a row. `serde_dynamo`'s error would repeat what stands there, tokens and names, which
/// belong into no log; what is missing is named by the row's own type.
fn misread(error: &serde_dynamo::Error) -> String {
    let text = error.to_string();
    if text.starts_with("missing field") { text } else { "a row of another form".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let mut row = HashMap::from([("token".to_owned(), token)]);
        row.extend(seen.map(|seen| ("seen".to_owned(), seen)));
        read::<Row>("read a row", row).expect_err("a failure").to_string()
    }

    #[test]
    fn what_cannot_be_read_is_not_repeated() {
        let secret = || AttributeValue::S("s3cr3t".to_owned());
        let seven = || AttributeValue::N("7".to_owned());
        let known = || AttributeValue::S("android".to_owned());
        assert!(read::<Row>("read a row", [("token".into(), known()), ("seen".into(), seven())].into()).is_ok());
        assert_eq!(failure(known(), None), "could not read a row: missing field `seen`");
        for failure in
            [failure(secret(), Some(seven())), failure(known(), Some(secret())), failure(seven(), Some(seven()))]
        {
            assert_eq!(failure, "could not read a row: a row of another form");
        }
    }
}
