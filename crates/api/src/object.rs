use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

/// A `T` from a JSON object only. Serde's derived structs also accept an array of their fields.
#[derive(Debug)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields(PhantomData)).map(Self)
    }
}

struct Fields<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

/// For `deserialize_with`, together with `default`: the default in place of `null`. Some generated clients, such as those in
/// Dart, send `null` for fields that they do not set.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// For `deserialize_with`, together with `default`: an object that may be absent or `null`.
pub(crate) fn optional_object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer).map(|object| object.map(|Object(value)| value))
}

/// For `deserialize_with`: a list of objects.
pub(crate) fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Vec::deserialize(deserializer).map(|objects| objects.into_iter().map(|Object(value)| value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Point {
        x: u8,
        #[serde(default)]
        y: Option<u8>,
        #[serde(default, deserialize_with = "or_default")]
        z: u8,
        #[serde(default, deserialize_with = "optional_object")]
        next: Option<Box<Point>>,
        #[serde(default, deserialize_with = "objects")]
        others: Vec<Point>,
    }

    fn parse(text: &str) -> Result<Point, String> {
        serde_json::from_str::<Object<Point>>(text).map(|Object(point)| point).map_err(|error| error.to_string())
    }

    #[test]
    fn only_json_objects_are_accepted() {
        let point = parse(r#"{"x": 1, "next": {"x": 2}, "others": [{"x": 3, "y": 4}]}"#).expect("a point");
        assert_eq!((point.x, point.y), (1, None));
        assert_eq!(point.next.map(|next| next.x), Some(2));
        assert_eq!((point.others[0].x, point.others[0].y), (3, Some(4)));
        let nulls = parse(r#"{"x": 1, "y": null, "z": null, "next": null}"#).expect("a point");
        assert_eq!(nulls, parse(r#"{"x": 1}"#).expect("a point"));
        for (text, says) in [
            ("[1]", "expected an object"),
            ("null", "expected an object"),
            (r#"{"x": null}"#, "invalid type: null"),
            (r#"{"x": 1, "next": [2]}"#, "expected an object"),
            (r#"{"x": 1, "others": [[3]]}"#, "expected an object"),
            (r#"{"x": 1, "w": 2}"#, "unknown field `w`"),
            (r#"{"x": 1, "x": 2}"#, "duplicate field `x`"),
            (r#"{"y": 2}"#, "missing field `x`"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
