//! Integers that may be JSON numbers or strings.

use std::{fmt, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, de};

/// An integer. Neptune writes event ids as JSON numbers; its API model has strings. Both are accepted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Integer<T>(pub T);

impl<'de, T: FromStr + TryFrom<u64> + TryFrom<i64>> Deserialize<'de> for Integer<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor(PhantomData)).map(Self)
    }
}

struct Visitor<T>(PhantomData<T>);

impl<T: FromStr + TryFrom<u64> + TryFrom<i64>> de::Visitor<'_> for Visitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer, as a number or a string")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        number.try_into().map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        number.try_into().map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integer_is_parsed_exactly_from_number_and_string() {
        for json in ["18446744073709551615", r#""18446744073709551615""#] {
            assert_eq!(serde_json::from_str::<Integer<u64>>(json).expect("a number").0, u64::MAX);
        }
        assert_eq!(serde_json::from_str::<Integer<i64>>("-5").expect("a number").0, -5);
        for json in ["-1", "1.0", "1e3", "18446744073709551616", r#""""#, r#""x""#, "null", "true", "[]"] {
            assert!(serde_json::from_str::<Integer<u64>>(json).is_err(), "{json}");
        }
    }
}
