//! Deserialises rows from DynamoDB's JSON, in which each value is an object with its type: `{"S": "photo"}`,
//! `{"N": "7"}`.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
    forward_to_deserialize_any,
};

/// A row, or a key of one, that is deserialised from DynamoDB's JSON.
pub struct TypedRow<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for TypedRow<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RowVisitor(PhantomData)).map(Self)
    }
}

struct RowVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for RowVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, row: A) -> Result<T, A::Error> {
        T::deserialize(Row(row))
    }
}

/// Attributes by name.
struct Row<A>(A);

impl<'de, A: MapAccess<'de>> Deserializer<'de> for Row<A> {
    type Error = A::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, A::Error> {
        visitor.visit_map(Attributes(self.0))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Attributes<A>(A);

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Attributes<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(TypedSeed(seed))
    }
}

struct Elements<A>(A);

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Elements<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(TypedSeed(seed))
    }
}

/// Deserialises a value without its type.
struct TypedSeed<S>(S);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for TypedSeed<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for TypedSeed<S> {
    type Value = S::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the type of a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<S::Value, A::Error> {
        let kind = object.next_key()?.ok_or_else(|| A::Error::custom("a value has no type"))?;
        let value = self.0.deserialize(Typed { kind, object: &mut object })?;
        match object.next_key::<IgnoredAny>()? {
            None => Ok(value),
            Some(_) => Err(A::Error::custom("a value has two types")),
        }
    }
}

/// The types that rows have. Values of others can only be ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    Number,
    Bool,
    Null,
    Map,
    List,
    Texts,
    Other,
}

impl<'de> Deserialize<'de> for Type {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(TypeVisitor)
    }
}

struct TypeVisitor;

impl Visitor<'_> for TypeVisitor {
    type Value = Type;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the type of a value")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Type, E> {
        Ok(match name {
            "S" => Type::Text,
            "N" => Type::Number,
            "BOOL" => Type::Bool,
            "NULL" => Type::Null,
            "M" => Type::Map,
            "L" => Type::List,
            "SS" => Type::Texts,
            _ => Type::Other,
        })
    }
}

/// An object after the key with its type.
struct Typed<'a, A> {
    kind: Type,
    object: &'a mut A,
}

impl<'de, A: MapAccess<'de>> Deserializer<'de> for Typed<'_, A> {
    type Error = A::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, A::Error> {
        let Self { kind, object } = self;
        match kind {
            Type::Text => object.next_value_seed(Text(visitor)),
            Type::Number => object.next_value_seed(Text(Number(visitor))),
            Type::Bool => visitor.visit_bool(object.next_value()?),
            Type::Null => {
                object.next_value::<IgnoredAny>()?;
                visitor.visit_unit()
            }
            Type::Map => object.next_value_seed(Map(visitor)),
            Type::List => object.next_value_seed(List(visitor)),
            Type::Texts => object.next_value_seed(Texts(visitor)),
            Type::Other => Err(A::Error::custom("a value has an unknown type")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, A::Error> {
        if self.kind == Type::Null {
            self.object.next_value::<IgnoredAny>()?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        match self.kind {
            Type::Text => self.object.next_value_seed(Variant { name, variants, visitor }),
            _ => Err(A::Error::custom("an enumeration is no string")),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, A::Error> {
        self.object.next_value::<IgnoredAny>()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier
    }
}

/// Declares a seed that deserialises a value by one method of [`Deserializer`].
macro_rules! seed {
    ($seed:ident, $method:ident, $visitor:ident => $wrapped:expr) => {
        struct $seed<V>(V);

        impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for $seed<V> {
            type Value = V::Value;

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
                let $visitor = self.0;
                deserializer.$method($wrapped)
            }
        }
    };
}

seed!(Text, deserialize_str, visitor => visitor);
seed!(Texts, deserialize_seq, visitor => visitor);
seed!(Map, deserialize_map, visitor => Contents(visitor));
seed!(List, deserialize_seq, visitor => Contents(visitor));

struct Variant<V> {
    name: &'static str,
    variants: &'static [&'static str],
    visitor: V,
}

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Variant<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        deserializer.deserialize_enum(self.name, self.variants, self.visitor)
    }
}

/// Visits a map or list, whose values have types.
struct Contents<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Contents<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Attributes(map))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Elements(list))
    }
}

/// Visits a number, which is a text.
struct Number<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Number<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number as text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        if let Ok(number) = text.parse() {
            self.0.visit_u64(number)
        } else if let Ok(number) = text.parse() {
            self.0.visit_i64(number)
        } else {
            self.0.visit_f64(text.parse().map_err(|_| E::custom("a number is not one"))?)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use dynamodb_responses::row_json;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{attribute::Attributes as Item, testing::attribute};

    #[derive(Debug, PartialEq, Deserialize)]
    struct Example {
        text: String,
        number: u8,
        negative: i64,
        fraction: f64,
        is_set: bool,
        nothing: Option<String>,
        absent: Option<u32>,
        state: State,
        wrapped: Wrapped,
        list: Vec<Vec<u64>>,
        map: HashMap<String, Option<i64>>,
        tags: Vec<String>,
        either: Either,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum State {
        Ready,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Wrapped(Option<String>);

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(untagged)]
    enum Either {
        Sound { seconds: f64 },
        Picture { width: u32 },
    }

    fn read<T: for<'de> Deserialize<'de>>(json: &serde_json::Value) -> serde_json::Result<T> {
        serde_json::from_str(&json.to_string()).map(|TypedRow(row)| row)
    }

    #[test]
    fn row_is_read_with_all_types() {
        let row = json!({
            "text": {"S": "첫\n눈"}, "number": {"N": "7"}, "negative": {"N": "-3"}, "fraction": {"N": "-26.5"},
            "is_set": {"BOOL": true}, "nothing": {"NULL": true}, "state": {"S": "ready"}, "wrapped": {"S": "w"},
            "list": {"L": [{"L": [{"N": "1"}, {"N": "2"}]}, {"L": []}]},
            "map": {"M": {"a": {"N": "1"}, "b": {"NULL": true}}}, "tags": {"SS": ["x", "y"]},
            "either": {"M": {"width": {"N": "3"}}},
            "unknown": {"M": {"deep": {"L": [{"B": "AA=="}, {"NS": ["1"]}]}}}, "bytes": {"B": "AA=="},
        });
        let expected = Example {
            text: "첫\n눈".into(),
            number: 7,
            negative: -3,
            fraction: -26.5,
            is_set: true,
            nothing: None,
            absent: None,
            state: State::Ready,
            wrapped: Wrapped(Some("w".into())),
            list: vec![vec![1, 2], vec![]],
            map: HashMap::from([("a".into(), Some(1)), ("b".into(), None)]),
            tags: vec!["x".into(), "y".into()],
            either: Either::Picture { width: 3 },
        };
        assert_eq!(read::<Example>(&row).expect("a row"), expected);
    }

    #[test]
    fn value_of_another_form_is_an_error() {
        for value in [
            json!("7"),
            json!({}),
            json!({"N": "7", "S": "7"}),
            json!({"N": 7}),
            json!({"N": "seven"}),
            json!({"N": "300"}),
            json!({"N": "-1"}),
            json!({"S": "7"}),
            json!({"NS": ["7"]}),
            json!({"NULL": true}),
            json!({"Q": "7"}),
        ] {
            read::<HashMap<String, u8>>(&json!({"number": value})).expect_err(&value.to_string());
        }
        read::<HashMap<String, State>>(&json!({"state": {"S": "other"}})).expect_err("an unknown state");
        read::<HashMap<String, State>>(&json!({"state": {"M": {"ready": {"NULL": true}}}})).expect_err("a map");
    }

    proptest! {
        #[test]
        fn any_row_is_read_as_by_serde_dynamo(values in prop::collection::hash_map("[a-z]{1,3}", attribute(), 0..6)) {
            let item: Item = values;
            let by_serde_dynamo: Result<serde_json::Value, _> = serde_dynamo::from_item(item.clone());
            let read = read::<serde_json::Value>(&row_json(&item));
            if let (Ok(read), Ok(expected)) = (&read, &by_serde_dynamo) {
                prop_assert_eq!(read, expected);
            }
            // Bytes are in no row.
            let has_bytes = row_json(&item).to_string().contains(r#"{"B":"#);
            prop_assert!(read.is_ok() || by_serde_dynamo.is_err() || has_bytes, "{:?}", read);
        }
    }
}
