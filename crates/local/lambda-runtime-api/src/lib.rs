//! Servers of the Lambda Runtime API that run one function's binary without AWS and Docker.
//!
//! See AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".

mod first_invocation;
mod function;

pub use first_invocation::{FirstInvocation, PendingInvocation};
pub use function::{Function, Outcome};
