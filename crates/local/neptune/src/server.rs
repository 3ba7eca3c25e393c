use std::sync::Arc;

use anyhow::Result;
use http_server::{Server, serve_until_shutdown};

use super::{client::Client, database::Database, http::router, options::Options, state::App};

/// A running emulator. Dropping the value stops it. It can be started and stopped inside and outside of async code.
#[derive(Debug)]
pub struct NeptuneEmulator(Server);

impl NeptuneEmulator {
    /// Starts an emulator on the loopback interface. It accepts requests when this returns.
    pub fn start(options: Options) -> Result<Self> {
        let database = Database::open(&options)?;
        let app = Arc::new(App::new(database, options.requires_signature));
        Ok(Self(Server::start("neptune", options.port, |_| router(app))?))
    }

    /// The emulator's base URL.
    pub fn endpoint(&self) -> String {
        self.0.endpoint()
    }

    /// A client of the control API.
    pub fn client(&self) -> Client {
        Client::new(self.endpoint())
    }
}

/// Runs an emulator until SIGTERM or Ctrl-C: `cargo xtask neptune`.
pub async fn run(options: Options) -> Result<()> {
    serve_until_shutdown(|| NeptuneEmulator::start(options), NeptuneEmulator::endpoint).await
}
