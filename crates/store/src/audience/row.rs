//! A row as DynamoDB returns it.

use std::fmt;

use domain::push::{Register, Registers};
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};
use serde_with::{DisplayFromStr, de::DeserializeAsWrap};

use crate::register_attributes;

/// What reads need of a row: its keys, its registers by name, and the generation in the row that holds it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct AudienceRow {
    pub(super) pk: String,
    pub(super) sk: String,
    pub(super) registers: Registers,
    pub(super) generation: Option<u32>,
}

impl<'de> Deserialize<'de> for AudienceRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RowVisitor)
    }
}

struct RowVisitor;

impl<'de> Visitor<'de> for RowVisitor {
    type Value = AudienceRow;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row of the audience")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut attributes: A) -> Result<AudienceRow, A::Error> {
        let mut row = AudienceRow::default();
        let (mut pk, mut sk) = (None, None);
        while let Some(name) = attributes.next_key()? {
            match name {
                Name::Pk => pk = Some(attributes.next_value()?),
                Name::Sk => sk = Some(attributes.next_value()?),
                Name::Generation => row.generation = Some(attributes.next_value()?),
                Name::Register(name) => {
                    let register: DeserializeAsWrap<Register, DisplayFromStr> = attributes.next_value()?;
                    row.registers.insert(name, register.into_inner());
                }
                Name::Other => drop(attributes.next_value::<IgnoredAny>()?),
            }
        }
        row.pk = pk.ok_or_else(|| A::Error::missing_field("pk"))?;
        row.sk = sk.ok_or_else(|| A::Error::missing_field("sk"))?;
        Ok(row)
    }
}

/// The name of an attribute.
enum Name {
    Pk,
    Sk,
    Generation,
    /// A register with this name.
    Register(String),
    Other,
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(NameVisitor)
    }
}

struct NameVisitor;

impl Visitor<'_> for NameVisitor {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of an attribute")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Name, E> {
        Ok(match name {
            "pk" => Name::Pk,
            "sk" => Name::Sk,
            "generation" => Name::Generation,
            _ => register_attributes::register_name(name).map_or(Name::Other, |name| Name::Register(name.to_owned())),
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::{graph::Position, push::Row};
    use dynamodb_responses::row_json;
    use proptest::prelude::*;

    use super::*;
    use crate::{
        attribute::{Attributes, number, text},
        audience::{
            key::key,
            table::{read_registers, required_text},
        },
        testing::malformed,
        typed_json::TypedRow,
    };

    fn read(row: &Attributes) -> serde_json::Result<AudienceRow> {
        serde_json::from_str(&row_json(row).to_string()).map(|TypedRow(row)| row)
    }

    fn stored() -> Attributes {
        let mut row = key(&Row::Vertex("s1".into()));
        row.extend([
            ("r:title".to_owned(), text(Register::new(Position::new(7, 1), "첫눈").to_string())),
            ("r:owner#t1".to_owned(), text(Register::tombstone(Position::new(8, 1)).to_string())),
            ("writes".to_owned(), number(2)),
        ]);
        row
    }

    #[test]
    fn row_has_its_keys_registers_and_generation() {
        let row = read(&stored()).expect("a row");
        assert_eq!((row.pk.as_str(), row.sk.as_str(), row.generation), ("vertex#s1", "facts", None));
        assert_eq!(row.registers, read_registers(&stored()).expect("registers"));
        let mut generation = key(&Row::Vertex("s1".into()));
        generation.insert("generation".to_owned(), number(3));
        assert_eq!(read(&generation).expect("a row").generation, Some(3));
    }

    proptest! {
        #[test]
        fn malformed_row_is_read_as_by_the_sdk_or_rejected(row in malformed(stored())) {
            let by_sdk = (required_text(&row, "pk"), required_text(&row, "sk"), read_registers(&row));
            match (read(&row), by_sdk) {
                (Ok(read), (Ok(pk), Ok(sk), Ok(registers))) => {
                    prop_assert_eq!((read.pk, read.sk, read.registers), (pk, sk, registers));
                }
                // An unknown attribute may have a type that no row has.
                (Err(_), _) => {}
                (read, by_sdk) => prop_assert!(false, "{:?} {:?}", read, by_sdk),
            }
        }
    }
}
