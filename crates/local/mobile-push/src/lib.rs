//! An emulator of SNS mobile push, Firebase Cloud Messaging and the phones behind it. A message that is published to a
//! platform endpoint is checked as AWS and FCM check it, and displayed as a phone would, in its language.
//!
//! In a test, [`MobilePushEmulator::start`] runs an emulator in the same process. `cargo xtask phones` runs one as a
//! process.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use std::time::Duration;
//! use domain::push::Platform;
//! use mobile_push::{Failure, Fault, MobilePushEmulator, Options, Profile, Reachability};
//!
//! let upstream = Some("http://127.0.0.1:4566".into());
//! let emulator = MobilePushEmulator::start(Options { upstream, ..Options::default() })?;
//! let phones = emulator.client();
//! let profile = Profile { name: "미나".into(), language: "ko".into(), platform: Platform::Ios };
//! phones.register_phone("token-1", &profile).await?;
//! phones.inject_fault(Fault::new(Failure::Throttled).for_token("token-1"), 2.try_into().ok()).await?;
//! let since = phones.head().await?;
//! // … publish to AWS_ENDPOINT_URL_SNS=emulator.endpoint() …
//! let shown = phones.wait_for_one(since, Duration::from_secs(5), |shown| shown.phone == "미나").await?;
//! println!("{}: {}", shown.notice.title, shown.notice.body);
//! # Ok(())
//! # }
//! ```
//!
//! # SNS
//!
//! The query protocol: the calls for platform applications and endpoints, and `Publish` to an endpoint. All other
//! requests are forwarded unchanged to [`Options::upstream`], with their `Host` and signature. The upstream emulator also
//! enforces IAM, for the same request.
//!
//! # Control API
//!
//! | call | effect | response |
//! |---|---|---|
//! | `PUT /_phones/{token}` `{"name":"미나","language":"ko","platform":"ios"}` | registers a phone | the phone |
//! | `GET /_phones/{token}` | none | `{"token":…,"profile":{…},"reach":"online","screen":[…]}` |
//! | `GET /_phones` | none | all phones |
//! | `PUT /_phones/{token}/reach` `{"reach":"offline"}` | also `online`, `stale`, `invalid` | the phone |
//! | `POST /_phones/{token}/disable` | disables its endpoints | the endpoints |
//! | `GET /_phones/endpoints` | none | all endpoints |
//! | `GET /_phones/notifications?since=7` | none | `{"head":9,"items":[…]}`: notifications that phones received after number 7 |
//! | `GET /_phones/unshown?since=7` | none | the same for messages that SNS accepted and no phone displays, with reasons |
//! | `POST /_phones/faults` `{"fault":{"failure":"throttled"},"times":2}` | injects a fault; without `times`, until faults are cleared | as `GET` |
//! | `GET /_phones/faults` | none | `[{"fault":…,"left":1,"hits":1}]` |
//! | `DELETE /_phones/faults` | removes all faults | as `GET` |
//! | `DELETE /_phones` | deletes phones, notifications and faults | all phones: none |
//!
//! A `failure` is one of `throttled`, `internalError`, `notFound`, `notAuthorised`, and `lostAnswer`: the call is
//! processed, but the connection closes without a response. `"action":"GetEndpointAttributes"` selects another call than
//! `Publish`; `"token":"…"` restricts the fault to calls about that token.
//!
//! # Behavior that the documentation leaves open
//!
//! - The whole value of `GCM` counts towards FCM's limit of 4,096 bytes.
//! - SNS accepts messages that FCM rejects: `data` with reserved keys or values other than strings, unknown fields, an
//!   invalid `ttl`, the payload of the legacy API. The publisher gets no error, and `GET /_phones/unshown` has the reason.
//! - Outcomes are immediate: the endpoint of a stale token is disabled when `Publish` returns.
//! - If more than four collapse keys are pending for a phone, the newest four are kept.
//! - Creating an existing endpoint compares `Enabled` only if given, and `CustomUserData` always.
//! - Only GCM with a service account's JSON as credential is supported. The credential is validated but not used.

mod attributes;
mod call;
mod client;
mod control;
mod event;
mod fault;
mod fcm;
mod http;
mod message;
mod notice;
mod options;
mod record;
mod registry;
mod server;
mod sns;
mod sns_error;
mod state;
mod upstream;
mod xml;

pub use client::Client;
pub use control::{EndpointSnapshot, PhoneSnapshot};
pub use fault::{ActiveFault, Failure, Fault};
pub use notice::Notice;
pub use options::{Arguments, Options};
pub use record::{Notification, Profile, Reachability, UndisplayedMessage, UndisplayedReason};
pub use server::{MobilePushEmulator, run};
