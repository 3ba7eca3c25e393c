use std::{
    borrow::Cow,
    hash::{Hash, Hasher},
    mem,
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// Value of a property, with its Neptune type.
///
/// # JSON
/// `{"dataType": "Int", "value": 7}`, with Neptune's names of types. Numbers that JSON cannot carry
/// everywhere are strings: [`Long`](Self::Long) and [`Date`](Self::Date) always, because JavaScript
/// rounds above 2^53; [`Float`](Self::Float) and [`Double`](Self::Double) if they are `"NaN"`,
/// `"Infinity"` or `"-Infinity"`. Floating-point numbers round-trip bit for bit.
/// [`Unrecognized`](Self::Unrecognized) is `{"dataType": "Point", "json": "[1, 2]"}`.
///
/// # Equality
/// Values are equal if type and content are: `Int` 1 is not `Long` 1, and 0.0 is not -0.0. `NaN`
/// equals itself, otherwise it could be added to a property but never removed.
#[derive(Debug, Clone)]
pub enum Value {
    /// A string.
    String(String),
    /// A point in time, in milliseconds since 1970.
    Date(i64),
    /// A boolean.
    Bool(bool),
    /// A signed integer of 8 bits.
    Byte(i8),
    /// A signed integer of 16 bits.
    Short(i16),
    /// A signed integer of 32 bits.
    Int(i32),
    /// A signed integer of 64 bits.
    Long(i64),
    /// A floating-point number of 32 bits.
    Float(f32),
    /// A floating-point number of 64 bits.
    Double(f64),
    /// A value of an unknown type, or one that its type does not allow.
    Unrecognized {
        /// Name of the type, as Neptune wrote it.
        data_type: String,
        /// The value's JSON, byte for byte.
        json: String,
    },
    /// A value that was too large for its message. Only truncated changes have it, never records.
    Omitted(Box<ValueDigest>),
}

/// Length and hash of a value that was left out of a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ValueDigest {
    /// Type of the value.
    pub data_type: String,
    /// Bytes of the string, or of the JSON of a [`Value::Unrecognized`].
    pub bytes: u64,
    /// SHA-256 of those bytes, in 64 hexadecimal digits. Shows whether a value read elsewhere is the same.
    pub sha256: String,
}

impl Value {
    /// The text of a [`Value::String`].
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Name of the type, as Neptune writes it.
    pub fn data_type(&self) -> &str {
        match self {
            Self::String(_) => "String",
            Self::Date(_) => "Date",
            Self::Bool(_) => "Bool",
            Self::Byte(_) => "Byte",
            Self::Short(_) => "Short",
            Self::Int(_) => "Int",
            Self::Long(_) => "Long",
            Self::Float(_) => "Float",
            Self::Double(_) => "Double",
            Self::Unrecognized { data_type, .. } => data_type,
            Self::Omitted(omitted) => &omitted.data_type,
        }
    }

    /// The [`Value::Omitted`] that replaces the value in a message; `None` if the value's size is bounded.
    pub(super) fn to_omitted(&self) -> Option<Self> {
        let (Self::String(text) | Self::Unrecognized { json: text, .. }) = self else { return None };
        Some(Self::Omitted(Box::new(ValueDigest {
            data_type: self.data_type().to_owned(),
            bytes: text.len() as u64,
            sha256: format!("{:x}", Sha256::digest(text)),
        })))
    }
}

/// The bits of a number, with one representation for all NaNs.
fn bits(number: f64) -> u64 {
    if number.is_nan() { f64::NAN.to_bits() } else { number.to_bits() }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Date(a), Self::Date(b)) | (Self::Long(a), Self::Long(b)) => a == b,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Byte(a), Self::Byte(b)) => a == b,
            (Self::Short(a), Self::Short(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => bits((*a).into()) == bits((*b).into()),
            (Self::Double(a), Self::Double(b)) => bits(*a) == bits(*b),
            (Self::Unrecognized { data_type: type_a, json: a }, Self::Unrecognized { data_type: type_b, json: b }) => {
                type_a == type_b && a == b
            }
            (Self::Omitted(a), Self::Omitted(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        mem::discriminant(self).hash(state);
        match self {
            Self::String(text) => text.hash(state),
            Self::Date(number) | Self::Long(number) => number.hash(state),
            Self::Bool(is_true) => is_true.hash(state),
            Self::Byte(number) => number.hash(state),
            Self::Short(number) => number.hash(state),
            Self::Int(number) => number.hash(state),
            Self::Float(number) => bits((*number).into()).hash(state),
            Self::Double(number) => bits(*number).hash(state),
            Self::Unrecognized { data_type, json } => (data_type, json).hash(state),
            Self::Omitted(omitted) => omitted.hash(state),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("dataType", self.data_type())?;
        match self {
            Self::String(text) => map.serialize_entry("value", text)?,
            Self::Date(number) | Self::Long(number) => map.serialize_entry("value", &number.to_string())?,
            Self::Bool(is_true) => map.serialize_entry("value", is_true)?,
            Self::Byte(number) => map.serialize_entry("value", number)?,
            Self::Short(number) => map.serialize_entry("value", number)?,
            Self::Int(number) => map.serialize_entry("value", number)?,
            Self::Float(number) if number.is_finite() => map.serialize_entry("value", number)?,
            Self::Double(number) if number.is_finite() => map.serialize_entry("value", number)?,
            Self::Float(number) => map.serialize_entry("value", not_finite((*number).into()))?,
            Self::Double(number) => map.serialize_entry("value", not_finite(*number))?,
            Self::Unrecognized { json, .. } => map.serialize_entry("json", json)?,
            Self::Omitted(omitted) => {
                map.serialize_entry("omitted", &true)?;
                map.serialize_entry("bytes", &omitted.bytes)?;
                map.serialize_entry("sha256", &omitted.sha256)?;
            }
        }
        map.end()
    }
}

/// The names that XML Schema and JavaScript use.
fn not_finite(number: f64) -> &'static str {
    if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// Deserializes from JSON text only, not from a reader. Numbers are parsed from the text, because
/// `serde_json`'s parser may be off by one bit.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Wire::deserialize(deserializer)?.read().ok_or_else(|| de::Error::custom("the value does not match its type"))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    data_type: String,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    json: Option<String>,
    bytes: Option<u64>,
    sha256: Option<String>,
}

impl Wire<'_> {
    fn read(self) -> Option<Value> {
        let data_type = self.data_type;
        if let Some(json) = self.json {
            return Some(Value::Unrecognized { data_type, json });
        }
        if let (Some(bytes), Some(sha256)) = (self.bytes, self.sha256) {
            return Some(Value::Omitted(Box::new(ValueDigest { data_type, bytes, sha256 })));
        }
        let json = self.value?.get();
        Some(match data_type.as_str() {
            "String" => Value::String(serde_json::from_str(json).ok()?),
            "Date" => Value::Date(parse(json)?),
            "Bool" => Value::Bool(parse(json)?),
            "Byte" => Value::Byte(parse(json)?),
            "Short" => Value::Short(parse(json)?),
            "Int" => Value::Int(parse(json)?),
            "Long" => Value::Long(parse(json)?),
            "Float" => Value::Float(parse(json)?),
            "Double" => Value::Double(parse(json)?),
            _ => return None,
        })
    }
}

/// Parses a number or a boolean, or a string that contains one.
fn parse<T: FromStr>(json: &str) -> Option<T> {
    let text = if json.starts_with('"') { Cow::Owned(serde_json::from_str::<String>(json).ok()?) } else { json.into() };
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::graph::model::value;

    fn json(value: &Value) -> String {
        serde_json::to_string(value).expect("JSON")
    }

    #[test]
    fn json_has_neptune_type_names_and_64_bit_numbers_as_strings() {
        for (value, expected) in [
            (Value::String("이야기".into()), r#"{"dataType":"String","value":"이야기"}"#),
            (Value::Date(1_560_011_610_678), r#"{"dataType":"Date","value":"1560011610678"}"#),
            (Value::Bool(true), r#"{"dataType":"Bool","value":true}"#),
            (Value::Int(7), r#"{"dataType":"Int","value":7}"#),
            (Value::Long(i64::MIN), r#"{"dataType":"Long","value":"-9223372036854775808"}"#),
            (Value::Float(0.1), r#"{"dataType":"Float","value":0.1}"#),
            (Value::Double(f64::NAN), r#"{"dataType":"Double","value":"NaN"}"#),
            (Value::Double(f64::INFINITY), r#"{"dataType":"Double","value":"Infinity"}"#),
            (Value::Float(f32::NEG_INFINITY), r#"{"dataType":"Float","value":"-Infinity"}"#),
            (
                Value::Unrecognized { data_type: "Point".into(), json: "[1,  2]".into() },
                r#"{"dataType":"Point","json":"[1,  2]"}"#,
            ),
        ] {
            assert_eq!(json(&value), expected);
        }
    }

    #[test]
    fn omitted_value_has_length_and_hash() {
        // `echo -n 가 | sha256sum`
        let expected = concat!(
            r#"{"dataType":"String","omitted":true,"bytes":3,"sha256":""#,
            "64ee5293d31bc58b72d76ae9a86a902e90442428e29f24f4ecb257ba841cdd36",
            r#""}"#
        );
        let omitted = Value::String("가".into()).to_omitted().expect("a string is unbounded");
        assert_eq!(json(&omitted), expected);
        assert_eq!(serde_json::from_str::<Value>(expected).expect("a value"), omitted);
        assert_eq!(Value::Long(1).to_omitted(), None);
    }

    #[test]
    fn values_are_equal_by_type_and_content() {
        assert_ne!(Value::Int(1), Value::Long(1));
        assert_ne!(Value::Double(0.0), Value::Double(-0.0));
        assert_eq!(Value::Double(f64::NAN), Value::Double(-f64::NAN));
    }

    #[test]
    fn value_that_does_not_match_its_type_is_rejected() {
        for text in [
            r#"{"dataType":"Int"}"#,
            r#"{"dataType":"Int","value":null}"#,
            r#"{"dataType":"Byte","value":128}"#,
            r#"{"dataType":"String","value":1}"#,
            r#"{"dataType":"Point","value":1}"#,
            r#"{"value":1}"#,
        ] {
            assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn json_round_trips(value in value()) {
            prop_assert_eq!(serde_json::from_str::<Value>(&json(&value)).expect("a value"), value);
        }
    }
}
