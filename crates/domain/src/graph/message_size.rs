use std::{cmp::Reverse, mem};

use serde::Serialize;

use super::{Change, PropertyChange, Value};
use crate::message::escape_noncharacters;

/// Largest SNS message and largest `PublishBatch`, in bytes, body and attributes together (Amazon SNS
/// quotas, "Message size": 256 KiB).
pub const SNS_MESSAGE_BYTES: usize = 262_144;

/// The change does not fit in a message even without properties: ids and labels are too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the change takes {bytes} bytes without properties, more than the allowed {max_bytes}")]
pub struct MessageTooLarge {
    /// Size of the message without properties.
    pub bytes: usize,
    /// Largest allowed size.
    pub max_bytes: usize,
}

impl Change {
    /// [`to_cloud_event`](Self::to_cloud_event) in at most `max_bytes` bytes of UTF-8. The caller
    /// subtracts the message's attributes, with their names and types, from the limit.
    ///
    /// Leaves out as little as possible. If anything was left out, `data` has `"truncated": true`.
    /// 1. Values are replaced by their length and hash ([`Value::Omitted`]), the largest first.
    /// 2. If that is not enough, whole properties are removed, the largest first, and counted in
    ///    `propertiesOmitted`. A consumer that needs them reads the graph. Values that fit in the space
    ///    that became free are put back.
    pub fn to_cloud_event_within(&self, cluster: &str, max_bytes: usize) -> Result<String, MessageTooLarge> {
        let whole = self.to_cloud_event(cluster);
        if whole.len() <= max_bytes {
            return Ok(whole);
        }
        let mut truncation = Truncation::new(self, cluster);
        truncation.omit_values(max_bytes);
        if truncation.bytes() > max_bytes {
            truncation.omit_properties(max_bytes);
            truncation.restore_values(max_bytes);
        }
        let message = truncation.change().to_cloud_event(cluster);
        if message.len() > max_bytes {
            return Err(MessageTooLarge { bytes: message.len(), max_bytes });
        }
        Ok(message)
    }
}

/// A change that is being truncated. It keeps sums of lengths, so that nothing is serialized twice.
struct Truncation {
    /// The change without its properties.
    rest: Change,
    was_truncated: bool,
    /// Length of the message without properties and without the digits of `propertiesOmitted`.
    rest_bytes: usize,
    properties: Vec<Property>,
    /// Replaceable values, the first to be replaced first.
    values: Vec<Replaceable>,
}

struct Property {
    key: String,
    change: PropertyChange,
    /// Length in JSON, with key, colon and comma.
    bytes: usize,
    is_omitted: bool,
}

/// A value that is longer than its [`Value::Omitted`].
struct Replaceable {
    property: usize,
    is_after: bool,
    index: usize,
    /// Bytes saved by replacing it.
    saving: usize,
    /// The replacement; after a swap, the value itself.
    other: Value,
    is_omitted: bool,
}

impl Truncation {
    fn new(change: &Change, cluster: &str) -> Self {
        let mut rest = change.clone();
        let properties = mem::take(&mut rest.properties).into_iter().map(Property::new).collect::<Vec<_>>();
        // Measured as truncated, with one digit for the number of omitted properties.
        let number = mem::replace(&mut rest.properties_omitted, 1);
        let rest_bytes = rest.to_cloud_event(cluster).len() - 1;
        rest.properties_omitted = number;

        let mut values: Vec<_> = properties.iter().enumerate().flat_map(|(at, property)| property.values(at)).collect();
        values.sort_by_key(|value| Reverse(value.saving));
        Self { rest, was_truncated: change.is_truncated(), rest_bytes, properties, values }
    }

    fn number_omitted(&self) -> usize {
        self.rest.properties_omitted + self.properties.iter().filter(|property| property.is_omitted).count()
    }

    fn is_truncated(&self) -> bool {
        self.was_truncated || self.number_omitted() > 0 || self.values.iter().any(|value| value.is_omitted)
    }

    /// Current length of the message.
    fn bytes(&self) -> usize {
        let kept = self.properties.iter().filter(|property| !property.is_omitted);
        // All properties but the last have a comma. `false` is one byte longer than `true`.
        self.rest_bytes
            + kept.map(|property| property.bytes).sum::<usize>().saturating_sub(1)
            + digits(self.number_omitted())
            + usize::from(!self.is_truncated())
    }

    fn omit_values(&mut self, max_bytes: usize) {
        let mut bytes = self.bytes();
        for at in 0..self.values.len() {
            if bytes <= max_bytes {
                break;
            }
            self.swap(at);
            // The first replacement also changes the flag `truncated`.
            bytes = if at == 0 { self.bytes() } else { bytes - self.values[at].saving };
        }
    }

    fn omit_properties(&mut self, max_bytes: usize) {
        let mut order: Vec<usize> = (0..self.properties.len()).collect();
        order.sort_by_key(|&at| Reverse(self.properties[at].bytes));
        // Without the digits of the number, and with one comma too many.
        let mut bytes = self.rest_bytes + self.properties.iter().map(|property| property.bytes).sum::<usize>();
        for (number, at) in (self.number_omitted() + 1..).zip(order) {
            bytes -= self.properties[at].bytes;
            self.properties[at].is_omitted = true;
            let has_comma = usize::from(bytes > self.rest_bytes);
            if bytes - has_comma + digits(number) <= max_bytes {
                break;
            }
        }
    }

    /// Puts values back, the smallest first, while they fit.
    fn restore_values(&mut self, max_bytes: usize) {
        let mut available = max_bytes.saturating_sub(self.bytes());
        for at in (0..self.values.len()).rev() {
            let Replaceable { property, saving, is_omitted, .. } = self.values[at];
            if self.properties[property].is_omitted || !is_omitted {
                continue;
            }
            if saving > available {
                break;
            }
            available -= saving;
            self.swap(at);
        }
    }

    /// Exchanges a value and its replacement.
    fn swap(&mut self, at: usize) {
        let Replaceable { property, is_after, index, saving, other, is_omitted } = &mut self.values[at];
        let Property { change, bytes, .. } = &mut self.properties[*property];
        let values = if *is_after { &mut change.after } else { &mut change.before };
        mem::swap(&mut values[*index], other);
        *bytes = if *is_omitted { *bytes + *saving } else { *bytes - *saving };
        *is_omitted = !*is_omitted;
    }

    fn change(self) -> Change {
        let properties_omitted = self.number_omitted();
        let kept = self.properties.into_iter().filter(|property| !property.is_omitted);
        let properties = kept.map(|property| (property.key, property.change)).collect();
        Change { properties, properties_omitted, ..self.rest }
    }
}

impl Property {
    fn new((key, change): (String, PropertyChange)) -> Self {
        let bytes = json_bytes(&key) + ":".len() + json_bytes(&change) + ",".len();
        Self { key, change, bytes, is_omitted: false }
    }

    fn values(&self, property: usize) -> impl Iterator<Item = Replaceable> {
        let before = self.change.before.iter().enumerate().map(|(index, value)| (false, index, value));
        let after = self.change.after.iter().enumerate().map(|(index, value)| (true, index, value));
        before.chain(after).filter_map(move |(is_after, index, value)| {
            let other = value.to_omitted()?;
            let saving = json_bytes(value).checked_sub(json_bytes(&other)).filter(|saving| *saving > 0)?;
            Some(Replaceable { property, is_after, index, saving, other, is_omitted: false })
        })
    }
}

fn json_bytes(value: &impl Serialize) -> usize {
    // Serialization cannot fail: all map keys are strings.
    serde_json::to_string(value).map_or(0, |json| escape_noncharacters(json).len())
}

fn digits(number: usize) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::graph::{
        EntityKind,
        model::{change, change_of},
    };

    fn with(properties: impl IntoIterator<Item = (String, Vec<Value>)>) -> Change {
        let mut change = change_of(EntityKind::Vertex, "이야기");
        let named = properties.into_iter().map(|(key, after)| (key, PropertyChange { before: vec![], after }));
        change.properties = named.collect();
        change
    }

    fn text(length: usize) -> Value {
        Value::String("가".repeat(length))
    }

    fn fitted(change: &Change, max_bytes: usize) -> Change {
        let message = change.to_cloud_event_within("main", max_bytes).expect("a message");
        assert!(message.len() <= max_bytes);
        Change::from_cloud_event(&message).expect("a change").change
    }

    #[test]
    fn change_that_fits_is_not_truncated() {
        let change = with([("title".into(), vec![text(1_000)])]);
        let bytes = change.to_cloud_event("main").len();
        assert_eq!(fitted(&change, bytes), change);
        assert!(fitted(&change, bytes - 1).is_truncated());
    }

    #[test]
    fn largest_values_are_omitted_first_and_no_more_than_needed() {
        let change = with([
            ("a".into(), vec![text(50_000), Value::Long(1)]),
            ("b".into(), vec![text(40_000)]),
            ("c".into(), vec![text(30_000)]),
        ]);
        let found = fitted(&change, SNS_MESSAGE_BYTES);
        let Value::Omitted(omitted) = &found.properties["a"].after[0] else { panic!("the largest value is present") };
        assert_eq!((omitted.bytes, omitted.data_type.as_str()), (150_000, "String"));
        assert_eq!(found.properties["a"].after[1], Value::Long(1));
        assert_eq!(
            (&found.properties["b"], &found.properties["c"]),
            (&change.properties["b"], &change.properties["c"])
        );
        assert_eq!(found.properties_omitted, 0);
        assert!(change.to_cloud_event_within("main", SNS_MESSAGE_BYTES).expect("JSON").contains(r#""truncated":true"#));
    }

    #[test]
    fn properties_that_do_not_fit_are_counted() {
        let change = with((0..5_000).map(|number| (format!("property {number}"), vec![Value::Int(number)])));
        let found = fitted(&change, SNS_MESSAGE_BYTES);
        assert!(found.is_truncated() && found.properties_omitted > 0);
        assert_eq!(found.properties.len() + found.properties_omitted, 5_000);
        // One more property would not fit.
        let (key, missing) = change
            .properties
            .iter()
            .find(|(key, _)| !found.properties.contains_key(*key))
            .expect("an omitted property");
        let mut more = found.clone();
        more.properties.insert(key.clone(), missing.clone());
        more.properties_omitted -= 1;
        assert!(more.to_cloud_event("main").len() > SNS_MESSAGE_BYTES);
    }

    #[test]
    fn change_too_large_without_properties_is_an_error() {
        let change = with([("title".into(), vec![text(1_000)])]);
        let error = change.to_cloud_event_within("main", 100).expect_err("too large");
        assert!(error.bytes > 100 && error.max_bytes == 100, "{error}");
        let least = change.to_cloud_event_within("main", error.bytes).expect("a message");
        assert_eq!(least.len(), error.bytes);
    }

    /// Strings of very different lengths, some with characters that JSON escapes.
    fn properties() -> impl Strategy<Value = Vec<(String, Vec<Value>)>> {
        let text = (0_usize..600, "[a가\"\n]").prop_map(|(length, character)| Value::String(character.repeat(length)));
        let value = prop_oneof![text, any::<i64>().prop_map(Value::Long)];
        prop::collection::vec(("[a-z\"]{1,9}", prop::collection::vec(value, 0..4)), 0..14)
    }

    proptest! {
        #[test]
        fn truncated_change_fits_and_omits_no_more_than_needed(properties in properties(), share in 0.0_f64..1.0) {
            let change = with(properties);
            let whole = change.to_cloud_event("main").len();
            let least = Change { properties_omitted: change.properties.len(), ..with([]) }.to_cloud_event("main").len();
            let max_bytes = least + (whole.saturating_sub(least) as f64 * share) as usize;
            let found = fitted(&change, max_bytes);
            prop_assert_eq!(found.properties.len() + found.properties_omitted, change.properties.len());

            for (key, original) in &change.properties {
                let Some(property) = found.properties.get(key) else {
                    // It is one of the largest, and would not fit.
                    let mut more = found.clone();
                    let values = original.after.iter().map(|value| match value.to_omitted() {
                        Some(other) if json_bytes(&other) < json_bytes(value) => other,
                        _ => value.clone(),
                    });
                    more.properties.insert(key.clone(), PropertyChange { before: vec![], after: values.collect() });
                    more.properties_omitted -= 1;
                    prop_assert!(more.to_cloud_event("main").len() > max_bytes, "{} would fit", key);
                    continue;
                };
                for (at, value) in property.after.iter().enumerate().filter(|(at, value)| **value != original.after[*at]) {
                    prop_assert_eq!(Some(value.clone()), original.after[at].to_omitted());
                    let mut more = found.clone();
                    more.properties.get_mut(key).expect("the property").after[at] = original.after[at].clone();
                    prop_assert!(more.to_cloud_event("main").len() > max_bytes, "{} {} would fit", key, at);
                }
            }
        }

        #[test]
        fn sum_of_lengths_is_the_length_of_the_message(change in change(), share in 0.0_f64..1.0) {
            let whole = change.to_cloud_event("main").len();
            let max_bytes = (whole as f64 * share) as usize;
            let mut truncation = Truncation::new(&change, "main");
            truncation.omit_values(max_bytes);
            if truncation.bytes() > max_bytes {
                truncation.omit_properties(max_bytes);
                truncation.restore_values(max_bytes);
            }
            let bytes = truncation.bytes();
            let fitted = truncation.change();
            prop_assert_eq!(bytes, fitted.to_cloud_event("main").len());
        }
    }
}
