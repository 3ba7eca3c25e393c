//! The decoder against another one, and against files that are not what they should be.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail by panicking, too")]

mod damage;
mod encoding;
mod reference;
mod sample;
