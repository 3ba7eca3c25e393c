use std::fmt;

use serde::{
    Deserializer,
    de::{Error, Unexpected, Visitor},
};

/// Floating-point numbers below this stand for one integer each.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads a number without a fraction, also as `7.0`, which JSON Schema calls an integer, and which some
/// languages write: for `deserialize_with`.
pub(crate) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    deserializer.deserialize_u64(Integer)
}

struct Integer;

impl Visitor<'_> for Integer {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number, not negative")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<u64, E> {
        Ok(number)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<u64, E> {
        u64::try_from(number).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in the range")]
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

    fn read(text: &str) -> Result<u64, String> {
        integer(&mut serde_json::Deserializer::from_str(text)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        for (text, number) in [("7", 7), ("7.0", 7), ("7e2", 700), ("0", 0), ("18446744073709551615", u64::MAX)] {
            assert_eq!(read(text), Ok(number), "{text}");
        }
        for text in ["-1", "-1.0", "1.5", "1e300", "9007199254740992.0", "\"7\"", "null", "true"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
