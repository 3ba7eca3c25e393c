//! Servers of the Lambda Runtime API that run one function's binary without AWS and Docker.
//!
//! See AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".

mod first_invocation;
mod function;
mod lineage;
mod traced_queue;

pub use first_invocation::{FirstInvocation, PendingInvocation};
pub use function::{Function, Outcome};
pub use lineage::{MAX_INVOCATIONS, RecursiveLoop, invocation_trace, invocations_before};
pub use traced_queue::{SentMessage, TracedQueue};
