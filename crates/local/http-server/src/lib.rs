//! What the emulators of this crate share: a server on a thread of its own, answers in JSON, faults
//! that are ordered and counted, and what time it is.

mod answers;
mod clock;
mod faults;
mod server;

pub use answers::{bytes, json};
pub use clock::now;
pub use faults::{Order, Standing, Standings};
pub use server::{Ended, Server, until_ended};
