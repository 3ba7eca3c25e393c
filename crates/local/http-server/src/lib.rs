//! Shared parts of the emulators: an HTTP server on its own thread, JSON responses, injected faults with counters,
//! forwarding to another server, and the clock.

mod active_faults;
mod clock;
mod responses;
mod server;
mod shutdown;
mod upstream;

pub use active_faults::{ActiveFault, ActiveFaults, FaultRequest};
pub use clock::now_millis;
pub use responses::{json_bytes_response, json_response};
pub use server::{Server, serve_until_shutdown};
pub use shutdown::ShutdownSignal;
pub use upstream::Upstream;
