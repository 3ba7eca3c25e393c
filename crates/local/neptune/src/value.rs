use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeStruct};

/// A property value with its data type in the stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A string.
    String(String),
    /// Milliseconds since 1970.
    Date(i64),
    /// A boolean.
    Bool(bool),
    /// 8 bits.
    Byte(i8),
    /// 16 bits.
    Short(i16),
    /// 32 bits.
    Int(i32),
    /// 64 bits.
    Long(i64),
    /// 32 bits, finite: JSON has no infinity or NaN.
    Float(f32),
    /// 64 bits, finite.
    Double(f64),
}

/// Why a JSON value is not a valid property value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidValue {
    /// Neptune has no such data type.
    #[error("unknown data type {0}")]
    UnknownType(String),
    /// The value does not match the data type.
    #[error("{value} is not a {data_type}")]
    Mismatch {
        /// The value as JSON.
        value: String,
        /// The data type.
        data_type: &'static str,
    },
}

impl Value {
    /// The name of the data type in records.
    pub fn data_type(&self) -> &'static str {
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
        }
    }

    /// Whether JSON can represent the value: it has no infinity or NaN.
    pub fn is_finite(&self) -> bool {
        match self {
            Self::Float(value) => value.is_finite(),
            Self::Double(value) => value.is_finite(),
            _ => true,
        }
    }

    /// The value without its data type.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::String(value) => value.as_str().into(),
            Self::Bool(value) => (*value).into(),
            Self::Byte(value) => (*value).into(),
            Self::Short(value) => (*value).into(),
            Self::Int(value) => (*value).into(),
            Self::Date(value) | Self::Long(value) => (*value).into(),
            Self::Float(value) => shortest(*value).into(),
            Self::Double(value) => (*value).into(),
        }
    }

    /// The value of the type `data_type`, which is case-insensitive.
    pub fn from_json(value: &serde_json::Value, data_type: &str) -> Result<Self, InvalidValue> {
        let integer = value.as_i64();
        let (data_type, found) = match data_type.to_ascii_lowercase().as_str() {
            "string" => ("String", value.as_str().map(Self::from)),
            "date" => ("Date", integer.map(Self::Date)),
            "bool" => ("Bool", value.as_bool().map(Self::Bool)),
            "byte" => ("Byte", integer.and_then(|value| value.try_into().ok()).map(Self::Byte)),
            "short" => ("Short", integer.and_then(|value| value.try_into().ok()).map(Self::Short)),
            "int" => ("Int", integer.and_then(|value| value.try_into().ok()).map(Self::Int)),
            "long" => ("Long", integer.map(Self::Long)),
            "float" => ("Float", value.as_f64().map(|value| Self::Float(value as f32))),
            "double" => ("Double", value.as_f64().map(Self::Double)),
            _ => return Err(InvalidValue::UnknownType(data_type.to_owned())),
        };
        found.filter(Self::is_finite).ok_or_else(|| InvalidValue::Mismatch { value: value.to_string(), data_type })
    }

    /// The value with the type of a Gremlin literal: an integer is an Int if it fits, else a Long; any other number is a
    /// Double.
    fn from_literal(value: &serde_json::Value) -> Result<Self, InvalidValue> {
        let data_type = match value {
            serde_json::Value::Bool(_) => "Bool",
            serde_json::Value::Number(number) if number.is_f64() => "Double",
            serde_json::Value::Number(number) => match number.as_i64().map(i32::try_from) {
                Some(Ok(_)) => "Int",
                _ => "Long",
            },
            _ => "String",
        };
        Self::from_json(value, data_type)
    }
}

/// The number with the shortest text of `value`: 0.1, not 0.10000000149011612.
fn shortest(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

impl Serialize for Value {
    /// As in a record: `{"value":"미나","dataType":"String"}`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut typed = serializer.serialize_struct("Value", 2)?;
        typed.serialize_field("value", &self.to_json())?;
        typed.serialize_field("dataType", self.data_type())?;
        typed.end()
    }
}

impl<'de> Deserialize<'de> for Value {
    /// Accepts the form of records, or a bare value.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        if !value.is_object() {
            return Self::from_literal(&value).map_err(de::Error::custom);
        }
        let typed = Typed::deserialize(value).map_err(de::Error::custom)?;
        Self::from_json(&typed.value, &typed.data_type).map_err(de::Error::custom)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Typed {
    value: serde_json::Value,
    data_type: String,
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Int(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Long(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Value, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn every_data_type_round_trips() {
        let values = [
            (Value::from("미나"), r#"{"value":"미나","dataType":"String"}"#),
            (Value::Date(1_560_011_610_678), r#"{"value":1560011610678,"dataType":"Date"}"#),
            (Value::Bool(true), r#"{"value":true,"dataType":"Bool"}"#),
            (Value::Byte(-128), r#"{"value":-128,"dataType":"Byte"}"#),
            (Value::Short(32_767), r#"{"value":32767,"dataType":"Short"}"#),
            (Value::Int(-7), r#"{"value":-7,"dataType":"Int"}"#),
            (Value::Long(i64::MAX), r#"{"value":9223372036854775807,"dataType":"Long"}"#),
            (Value::Float(0.1), r#"{"value":0.1,"dataType":"Float"}"#),
            (Value::Double(1.5e300), r#"{"value":1.5e+300,"dataType":"Double"}"#),
        ];
        for (value, text) in values {
            assert_eq!(serde_json::to_string(&value).unwrap(), text);
            assert_eq!(parse(text).unwrap(), value);
            assert_eq!(parse(&text.to_lowercase().replace("datatype", "dataType")).unwrap(), value, "case-insensitive");
        }
    }

    #[test]
    fn bare_value_has_the_type_of_a_gremlin_literal() {
        assert_eq!(parse(r#""x""#).unwrap(), Value::from("x"));
        assert_eq!(parse("true").unwrap(), Value::Bool(true));
        assert_eq!(parse("2147483647").unwrap(), Value::Int(i32::MAX));
        assert_eq!(parse("2147483648").unwrap(), Value::Long(2_147_483_648));
        assert_eq!(parse("1.0").unwrap(), Value::Double(1.0));
    }

    #[test]
    fn invalid_values_are_rejected() {
        for text in [
            "null",
            "[1]",
            "18446744073709551615",
            r#"{"value":128,"dataType":"Byte"}"#,
            r#"{"value":"7","dataType":"Int"}"#,
            r#"{"value":1e300,"dataType":"Float"}"#,
            r#"{"value":1,"dataType":"Decimal"}"#,
            r#"{"value":1}"#,
            r#"{"value":1,"dataType":"Int","unit":"m"}"#,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(!Value::Double(f64::NAN).is_finite());
    }
}
