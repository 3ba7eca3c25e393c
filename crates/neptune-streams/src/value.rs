use std::{borrow::Cow, str::FromStr};

use serde::Deserialize;
use serde_json::value::RawValue;

/// A property's value or a label, with Neptune's data type.
///
/// An unknown data type or invalid value becomes [`Value::Unrecognized`], so that it does not make the page
/// and all later pages unreadable.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A string. Labels are strings.
    String(String),
    /// A point in time, in milliseconds since 1970.
    Date(i64),
    /// True or false.
    Bool(bool),
    /// An 8-bit integer.
    Byte(i8),
    /// A 16-bit integer.
    Short(i16),
    /// A 32-bit integer.
    Int(i32),
    /// A 64-bit integer.
    Long(i64),
    /// A 32-bit floating-point number.
    Float(f32),
    /// A 64-bit floating-point number.
    Double(f64),
    /// An unknown data type, or a value that does not match its type.
    Unrecognized {
        /// The data type's name in the page.
        data_type: String,
        /// The value's JSON, unchanged.
        json: String,
    },
}

impl Value {
    /// The text of a [`Value::String`]. Labels always have one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The length of the value's texts, in bytes.
    pub(crate) fn text_bytes(&self) -> usize {
        match self {
            Self::String(text) => text.len(),
            Self::Unrecognized { data_type, json } => data_type.len() + json.len(),
            _ => 0,
        }
    }

    /// Parses a value; anything unknown becomes [`Value::Unrecognized`].
    pub(crate) fn from_json(data_type: Cow<'_, str>, json: &str) -> Self {
        Self::parse(&data_type, json)
            .unwrap_or_else(|| Self::Unrecognized { data_type: data_type.into_owned(), json: json.to_owned() })
    }

    /// Parses a value. For each data type, the JSON may be a number, a string or a bool.
    fn parse(data_type: &str, json: &str) -> Option<Self> {
        let text = scalar_text(json)?;
        // First, because most values are strings.
        if is(data_type, "String") {
            return Some(Self::String(text.into_owned()));
        }
        let text = text.trim();
        Some(match data_type {
            _ if is(data_type, "Int") => Self::Int(parse(text)?),
            _ if is(data_type, "Long") => Self::Long(parse(text)?),
            _ if is(data_type, "Double") => Self::Double(parse(text)?),
            _ if is(data_type, "Bool") || is(data_type, "Boolean") => Self::Bool(parse_bool(text)?),
            _ if is(data_type, "Date") => Self::Date(parse(text)?),
            _ if is(data_type, "Float") => Self::Float(parse(text)?),
            _ if is(data_type, "Short") => Self::Short(parse(text)?),
            _ if is(data_type, "Byte") => Self::Byte(parse(text)?),
            _ => return None,
        })
    }
}

fn is(data_type: &str, name: &str) -> bool {
    data_type.eq_ignore_ascii_case(name)
}

fn parse<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" => Some(true),
        "0" => Some(false),
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// The text of a JSON scalar, for a string without quotes. `None` for null, arrays and objects.
fn scalar_text(json: &str) -> Option<Cow<'_, str>> {
    match json.as_bytes().first()? {
        b'"' => match json.get(1..json.len() - 1) {
            Some(inner) if !inner.contains('\\') => Some(Cow::Borrowed(inner)),
            _ => serde_json::from_str(json).ok().map(Cow::Owned),
        },
        b'n' | b'[' | b'{' => None,
        _ => Some(Cow::Borrowed(json)),
    }
}

/// `{"value": …, "dataType": …}`, in either order.
#[derive(Deserialize)]
pub(crate) struct WireValue<'a> {
    #[serde(borrow)]
    value: &'a RawValue,
    /// Missing or null: the type is unknown.
    #[serde(borrow, default, rename = "dataType")]
    data_type: Option<Cow<'a, str>>,
}

impl From<WireValue<'_>> for Value {
    fn from(wire: WireValue<'_>) -> Self {
        Self::from_json(wire.data_type.unwrap_or_default(), wire.value.get())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(json: &str, data_type: &str) -> Value {
        let wire = format!(r#"{{"value":{json},"dataType":"{data_type}"}}"#);
        serde_json::from_str::<WireValue>(&wire).expect("a value").into()
    }

    #[test]
    fn value_of_each_data_type_is_parsed_from_number_string_or_bool() {
        let cases = [
            (r#""a \"b\"\u00e9""#, "String", Value::String("a \"b\"é".to_owned())),
            (r#"" ""#, "String", Value::String(" ".to_owned())),
            ("12", "String", Value::String("12".to_owned())),
            ("true", "String", Value::String("true".to_owned())),
            ("1560011610678", "Date", Value::Date(1_560_011_610_678)),
            (r#""1560011610678""#, "Date", Value::Date(1_560_011_610_678)),
            ("true", "Bool", Value::Bool(true)),
            (r#""False""#, "Bool", Value::Bool(false)),
            (r#""true""#, "Boolean", Value::Bool(true)),
            ("0", "Bool", Value::Bool(false)),
            ("-128", "Byte", Value::Byte(-128)),
            (r#""127""#, "Byte", Value::Byte(127)),
            ("-32768", "Short", Value::Short(i16::MIN)),
            (r#""32767""#, "Short", Value::Short(i16::MAX)),
            ("-2147483648", "Int", Value::Int(i32::MIN)),
            (r#""2147483647""#, "Int", Value::Int(i32::MAX)),
            ("9007199254740993", "Long", Value::Long(9_007_199_254_740_993)),
            (r#""9007199254740993""#, "Long", Value::Long(9_007_199_254_740_993)),
            ("1.5", "Float", Value::Float(1.5)),
            (r#""1e3""#, "Float", Value::Float(1000.0)),
            ("0.1", "Double", Value::Double(0.1)),
            ("12", "Double", Value::Double(12.0)),
            (r#""-Infinity""#, "Double", Value::Double(f64::NEG_INFINITY)),
        ];
        for (json, data_type, expected) in cases {
            for data_type in [data_type.to_owned(), data_type.to_lowercase(), data_type.to_uppercase()] {
                assert_eq!(value(json, &data_type), expected, "{json} {data_type}");
            }
        }
        assert!(matches!(value(r#""NaN""#, "Double"), Value::Double(number) if number.is_nan()));
    }

    #[test]
    fn value_with_fields_in_other_order_is_parsed() {
        let wire = r#"{ "dataType" : "Int" , "more": [1], "value" : 7 }"#;
        assert_eq!(Value::from(serde_json::from_str::<WireValue>(wire).expect("a value")), Value::Int(7));
    }

    #[test]
    fn value_of_unknown_type_or_form_is_kept_unchanged() {
        for (json, data_type) in [
            ("128", "Byte"),
            ("9223372036854775808", "Long"),
            ("1.0", "Long"),
            (r#""\u0031x""#, "Int"),
            ("null", "String"),
            (r#"{"a":[1]}"#, "String"),
            (r#""POINT(1 2)""#, "Geometry"),
            ("2", "Bool"),
        ] {
            let expected = Value::Unrecognized { data_type: data_type.to_owned(), json: json.to_owned() };
            assert_eq!(value(json, data_type), expected);
        }
    }

    proptest! {
        #[test]
        fn numbers_are_parsed_exactly(long: i64, double in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL) {
            prop_assert_eq!(value(&long.to_string(), "Long"), Value::Long(long));
            prop_assert_eq!(value(&format!("{double:?}"), "Double"), Value::Double(double));
        }

        #[test]
        fn any_string_is_parsed(text: String) {
            let json = serde_json::to_string(&text).expect("JSON");
            prop_assert_eq!(value(&json, "String"), Value::String(text));
        }
    }
}
