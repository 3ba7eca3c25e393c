//! The table `devices`: devices and notification preferences of users. Its only writer is `device-api`, except that
//! `push-fanout` removes devices whose endpoint is disabled or missing.
//!
//! ```text
//! user           item          other attributes
//! sub            device#<id>   endpoint_arn, token, token_hash, platform, language, last_seen, registration
//! sub            preferences   preferences
//! token#<hash>   token         registration, endpoint_arn; holder (sub) and device (id), or expires_at
//! collection     cursor        next
//! sub            erased        expires_at: the account is being erased, and gets no new rows
//! removals       hour#<n>      removed, expires_at: removals of dead devices in the hour n since 1970
//! ```
//! A token belongs to one app on one phone, and so to one device. One transaction writes both rows of a registration;
//! `registration` is its id, the same in both. While an endpoint without a device is deleted, the row of its token has no
//! holder; it expires a day later.
//!
//! Devices without `registration` were written by the version before and have no row of their token. The index `by-token`
//! has the devices by `token_hash`.

mod collection;
mod erasure;
mod registration;
mod removal;
mod row;
mod table;
#[cfg(test)]
mod tests;

pub use crate::condition::WriteOutcome;
pub use registration::{RegisterOutcome, TokenClaim};
pub use removal::RemovalOutcome;
pub use row::{Device, Holder};
pub use table::{DeliveryTargets, DeviceTable};
