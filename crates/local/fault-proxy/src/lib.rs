//! A proxy between the functions and all that they call, which makes calls fail as they fail in a cloud.
//!
//! What a request asks of whom stands in its signature, its headers and its address (`call.rs`). A
//! plan says which faults strike which share of which requests (`plan.rs`); it has a seed, and the
//! n-th request for an operation meets the same fault each time that it is played. What is not hits
//! is handed on byte by byte, with the host that was signed.
//!
//! In a test, [`FaultProxy::start`] runs one in the same process; on its own it is `cargo xtask faults`.
//!
//! # Control
//!
//! | call | does | answers |
//! |---|---|---|
//! | `PUT /_faults` `{"seed":7,"rules":[…]}` | sets a plan; numbers and counts begin anew | as `GET` |
//! | `DELETE /_faults` | ends all faults | as `GET` |
//! | `GET /_faults` | nothing | `{"plan":…,"counts":[{"service":"s3","operation":"GetObject","requests":9,"faults":{"reset":1}}]}` |
//!
//! A rule is `{"fault":…,"service":"s3","operation":"GetObject","chance":0.05,"times":3}`; all but the
//! fault may be left out. A `fault` is one of
//!
//! ```json
//! "refused"
//! "reset"
//! "lostAnswer"
//! {"late": {"millis": 500}}
//! {"hang": {"millis": 20000}}
//! {"answer": {"status": 503, "retryAfter": 2}}
//! "partial"
//! "expiredCredentials"
//! ```
//!
//! A plan may also have `"longestPause": 60`: no message is then hidden for more seconds than that by
//! who tries it again later. That is no fault, and stays when faults end.
//!
//! # What it is not
//!
//! - A refused connection is one that ends before an answer: it was accepted, since a listener cannot
//!   refuse one and take another.
//! - `partial` sends the rest of a batch, and `longestPause` a pause, under the administrator's signature: the
//!   function's own does not hold for what was changed. IAM has no say in those.
//! - What clients send to addresses that a function signed for them is hits by rules for
//!   the service `client` only.

mod batch;
mod call;
mod client;
mod counters;
mod fault;
mod options;
mod visibility_timeout;
mod plan;
mod service_error;
mod server;
mod upstream;

pub use call::{CLIENT, Call};
pub use client::Client;
pub use counters::CallCount;
pub use fault::{Fault, Status};
pub use options::{Arguments, Options};
pub use plan::{FaultPlan, FaultRule, matching_rule, seeded_hash};
pub use server::{FaultProxy, run};
