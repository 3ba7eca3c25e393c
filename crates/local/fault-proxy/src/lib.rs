//! A proxy between the functions and the services they call. It injects the faults of a cloud.
//!
//! The service and operation of a request are derived from its signature, headers and URL (`call.rs`). A plan has rules:
//! a fault, the requests that it affects, and their share (`plan.rs`). A plan has a seed, and the n-th request for an
//! operation always gets the same decision. Other requests are forwarded byte for byte, with the signed host.
//!
//! In a test, [`FaultProxy::start`] runs a proxy in the same process. `cargo xtask faults` runs one as a process.
//!
//! # Control API
//!
//! | call | effect | response |
//! |---|---|---|
//! | `PUT /_faults` `{"seed":7,"rules":[…]}` | sets a plan and resets the counters | as `GET` |
//! | `DELETE /_faults` | removes all faults | as `GET` |
//! | `GET /_faults` | none | `{"plan":…,"counts":[{"service":"s3","operation":"GetObject","requests":9,"faults":{"reset":1}}]}` |
//!
//! A rule is `{"fault":…,"service":"s3","operation":"GetObject","chance":0.05,"times":3}`; only the fault is required. A
//! `fault` is one of
//!
//! ```json
//! "refused"
//! "reset"
//! "lostAnswer"
//! {"late": {"millis": 500}}
//! {"hang": {"millis": 20000}}
//! {"answer": {"error": "throttled", "retryAfter": 2}}
//! "partial"
//! ```
//!
//! An `error` is one of [`ServiceError`]: each service answers it with its own status, code and body (`service_error.rs`).
//!
//! A plan can have `"longestPause": 60`: the maximum visibility timeout, in seconds, that functions can set for a
//! message. It is not a fault and stays when faults are removed.
//!
//! # Limitations
//!
//! - A refused connection is accepted and then closed: a listener cannot refuse single connections.
//! - `partial` and `longestPause` change requests, which invalidates their signatures. The administrator signs the
//!   changed requests, so IAM does not check the function's permissions for them.
//! - Rules affect requests with presigned URLs only if they name the service `client`.

mod batch;
mod call;
mod client;
mod counters;
mod fault;
mod options;
mod plan;
mod proxy;
mod service_error;
mod upstream;
mod visibility_timeout;

pub use call::{CLIENT, Call};
pub use client::Client;
pub use counters::CallCount;
pub use fault::{Fault, ServiceError};
pub use options::{Arguments, Options};
pub use plan::{FaultPlan, FaultRule, matching_rule, seeded_hash};
pub use proxy::{FaultProxy, run};
