use std::sync::Arc;

use anyhow::Result;
use http_server::{Server, until_ended};

use super::{
    client::Client,
    database::Database,
    http::{App, router},
    options::Options,
};

/// A running emulator, which ends with this value. It may be started and ended from inside and
/// outside of async code.
#[derive(Debug)]
pub struct NeptuneEmulator(Server);

impl NeptuneEmulator {
    /// Starts an emulator on loopback. It answers when this returns.
    pub fn start(options: Options) -> Result<Self> {
        let database = Database::open(&options)?;
        let app = Arc::new(App::new(database, options.requires_signature));
        Ok(Self(Server::start("neptune", options.port, |_| router(app))?))
    }

    /// Where it answers.
    pub fn endpoint(&self) -> String {
        self.0.endpoint()
    }

    /// A client of its control calls.
    pub fn client(&self) -> Client {
        Client::new(self.endpoint())
    }
}

/// `cargo xtask neptune`: runs an emulator until SIGTERM or Ctrl-C.
pub async fn run(options: Options) -> Result<()> {
    until_ended(|| NeptuneEmulator::start(options), NeptuneEmulator::endpoint).await
}
