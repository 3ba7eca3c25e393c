//! SNS mobile push and Firebase Cloud Messaging, played on this machine, with the phones behind
//! them: what is published to a platform endpoint is checked as AWS and FCM check it, and shown as a
//! phone would show it, in its owner's language.
//!
//! In a test, [`MobilePushEmulator::start`] runs one in the same process; on its own it is `cargo xtask phones`.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use std::time::Duration;
//! use domain::push::Platform;
//! use crate::Failure;
//! use crate::Fault;
//! use crate::Options;
//! use crate::MobilePushEmulator;
//! use crate::Profile;
//! use crate::Reachability;
//!
//! let emulator = MobilePushEmulator::start(Options { upstream: Some("http://127.0.0.1:4566".into()), ..Options::default() })?;
//! let phones = emulator.client();
//! phones.register_phone("token-1", &Profile { name: "미나".into(), language: "ko".into(), platform: Platform::Ios }).await?;
//! phones.inject_fault(Fault::new(Failure::Throttled).for_token("token-1"), 2.try_into().ok()).await?;
//! let since = phones.head().await?;
//! // … somebody publishes to AWS_ENDPOINT_URL_SNS=emulator.endpoint() …
//! let shown = phones.wait_for_one(since, Duration::from_secs(5), |shown| shown.phone == "미나").await?;
//! println!("{}: {}", shown.notice.title, shown.notice.body);
//! # Ok(())
//! # }
//! ```
//!
//! # SNS
//!
//! The query protocol: the calls for platform applications and endpoints, and `Publish` to an
//! endpoint. Every other request goes to [`Options::upstream`] as it came, `Host` and signature
//! included, and its answer back. IAM is asked there, too, with the very request.
//!
//! # Control
//!
//! | call | does | answers |
//! |---|---|---|
//! | `PUT /_phones/{token}` `{"name":"미나","language":"ko","platform":"ios"}` | sets a phone up | the phone |
//! | `GET /_phones/{token}` | nothing | `{"token":…,"profile":{…},"reach":"online","screen":[…]}` |
//! | `GET /_phones` | nothing | all phones |
//! | `PUT /_phones/{token}/reach` `{"reach":"offline"}` | also `online`, `stale`, `invalid` | the phone |
//! | `POST /_phones/{token}/disable` | disables its endpoints | them |
//! | `GET /_phones/endpoints` | nothing | all endpoints |
//! | `GET /_phones/notifications?since=7` | nothing | `{"head":9,"items":[…]}`: what phones got after number 7 |
//! | `GET /_phones/unshown?since=7` | nothing | the same of what SNS took and no phone shows, and why |
//! | `POST /_phones/faults` `{"fault":{"failure":"throttled"},"times":2}` | orders a fault, without `times` until cleared | as `GET` |
//! | `GET /_phones/faults` | nothing | `[{"fault":…,"left":1,"hits":1}]` |
//! | `DELETE /_phones/faults` | ends all faults | as `GET` |
//! | `DELETE /_phones` | forgets phones, what they got, and faults | all phones: none |
//!
//! A `failure` is one of `throttled`, `internalError`, `notFound`, `notAuthorised`, and `lostAnswer`,
//! which does the call and then ends the connection. With `"action":"GetEndpointAttributes"` it
//! matches another call than `Publish`, with `"token":"…"` only where that token is concerned.
//!
//! # Where the documentation is silent
//!
//! - Of the 4,096 bytes that FCM takes, the whole text of `GCM` counts.
//! - SNS takes what FCM refuses (`data` with other values than texts or reserved keys, fields that
//!   FCM does not know, a broken `ttl`): the publisher learns nothing, the phone shows nothing, and
//!   `GET /_phones/unshown` says why. The payload of FCM's API before HTTP v1 is refused so, too.
//! - Outcomes are immediate: a stale token's endpoint is disabled when `Publish` has answered.
//! - Of more than four collapse keys that wait for a phone, the newest four are kept.
//! - Creating an endpoint again compares `Enabled` where it is given, and `CustomUserData` always.
//! - Only GCM is played, with a service account's JSON as credential. The credential is looked at,
//!   not tried.

mod attributes;
mod call;
mod client;
mod control;
mod registry;
mod event;
mod fault;
mod http;
mod message;
mod fcm;
mod notice;
mod options;
mod record;
mod sns_error;
mod server;
mod sns;
mod upstream;
mod xml;

pub use client::Client;
pub use control::{EndpointSnapshot, PhoneSnapshot};
pub use fault::{Failure, Fault, ActiveFault};
pub use notice::Notice;
pub use options::{Arguments, Options};
pub use record::{Notification, Profile, Reachability, UndisplayedMessage, UndisplayedReason};
pub use server::{MobilePushEmulator, run};
