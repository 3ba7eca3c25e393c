//! The emulator over HTTP, and with the stream client of the backend.

mod http;
mod stream_client;
