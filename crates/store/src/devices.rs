//! The table `devices`: devices and notification preferences of users. Its only writer is `device-api`, except that
//! `push-fanout` deletes devices whose endpoint is disabled or missing.
//!
//! ```text
//! user   item          other attributes
//! sub    device#<id>   endpoint_arn, token, token_hash, platform, language, last_seen
//! sub    preferences   preferences
//! ```
//! The index `by-token` has the devices by `token_hash`. A token belongs to one app on one phone, so a user who registers
//! it takes it over from the user who had it.

mod row;
mod table;
#[cfg(test)]
mod tests;

pub use crate::condition::WriteOutcome;
pub use row::{Device, Holder};
pub use table::{DeliveryTargets, DeviceTable};
