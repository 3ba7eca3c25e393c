use std::fmt;

use serde::{
    Deserializer,
    de::{Error, Unexpected, Visitor},
};

/// 2^53: below it, each integral `f64` is exactly one integer.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// For `deserialize_with`: an integer, also in the form `7.0`, which is an integer in JSON Schema and which
/// some languages write.
pub(crate) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    deserializer.deserialize_u64(Integer)
}

struct Integer;

impl Visitor<'_> for Integer {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a non-negative integer")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<u64, E> {
        Ok(number)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<u64, E> {
        u64::try_from(number).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the value is in range")]
    fn visit_f64<E: Error>(self, number: f64) -> Result<u64, E> {
        if number.fract() == 0.0 && (0.0..EXACT).contains(&number) {
            Ok(number as u64)
        } else {
            Err(E::invalid_type(Unexpected::Float(number), &self))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<u64, String> {
        integer(&mut serde_json::Deserializer::from_str(text)).map_err(|error| error.to_string())
    }

    #[test]
    fn integer_is_accepted_in_any_form() {
        for (text, number) in [("7", 7), ("7.0", 7), ("7e2", 700), ("0", 0), ("18446744073709551615", u64::MAX)] {
            assert_eq!(parse(text), Ok(number), "{text}");
        }
        for text in ["-1", "-1.0", "1.5", "1e300", "9007199254740992.0", "\"7\"", "null", "true"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
