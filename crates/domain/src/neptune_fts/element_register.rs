use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    graph::{Position, Value},
    lww_register::LwwRegister,
};

/// A register of an [`Element`](super::Element): whether it has a label, or a value of a property.
///
/// In JSON it is `{"at": "<commitNum>/<opNum>", "holds": true, "value": …}`. A tombstone has
/// `"holds": false`.
pub(super) type Register = LwwRegister<Position, Content>;

/// Value of a register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// A label, which is the register's key; or a value that was left out for its size, of which
    /// only the key is known.
    KeyOnly,
    /// A value of a property.
    Value(Value),
}

impl Register {
    /// The value of a property, unless the register is a tombstone or the value was left out.
    pub(super) fn property_value(&self) -> Option<&Value> {
        match &self.value {
            Some(Content::Value(value)) => Some(value),
            Some(Content::KeyOnly) | None => None,
        }
    }
}

/// A register as it is stored; `V` is the value, owned or borrowed.
#[derive(Serialize, Deserialize)]
struct Stored<V> {
    at: Position,
    holds: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<V>,
}

impl Serialize for Register {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stored = Stored { at: self.position, holds: !self.is_tombstone(), value: self.property_value() };
        stored.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Register {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Stored { at, holds, value } = Stored::deserialize(deserializer)?;
        let content = value.map_or(Content::KeyOnly, Content::Value);
        Ok(Self { position: at, value: holds.then_some(content) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_form_round_trips() {
        let position = Position::new(12, 3);
        for (register, json) in [
            (Register::new(position, Content::KeyOnly), r#"{"at":"12/3","holds":true}"#),
            (
                Register::new(position, Content::Value(Value::Int(7))),
                r#"{"at":"12/3","holds":true,"value":{"dataType":"Int","value":7}}"#,
            ),
            (Register::tombstone(position), r#"{"at":"12/3","holds":false}"#),
        ] {
            assert_eq!(serde_json::to_string(&register).expect("JSON"), json);
            assert_eq!(serde_json::from_str::<Register>(json).expect("a register"), register);
        }
    }
}
