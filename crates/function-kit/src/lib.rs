//! What every function shares, so that a function's own code is about its own job.
//!
//! ```text
//! config   its settings, from the environment
//! aws      how it reaches AWS
//! batch    an SQS batch, message by message; each failure goes where its kind belongs
//! failure  the kinds of failure
//! http     answers of the REST API, problem+json included
//! logs     JSON lines
//! metrics  numbers for CloudWatch, in the log
//! quota    how much one caller may ask at a time
//! request  requests to the REST API: who asks, and for what
//! seal     texts that clients carry for us: cursors and handles
//! serve    a function behind the REST API
//! ```

pub mod aws;
pub mod batch;
pub mod config;
pub mod failure;
pub mod http;
pub mod logs;
pub mod metrics;
pub mod quota;
pub mod request;
pub mod seal;
pub mod serve;
