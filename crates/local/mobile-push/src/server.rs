use std::sync::Arc;

use anyhow::Result;
use http_server::{ActiveFaults, Server, serve_until_shutdown};

use super::{
    client::Client, fcm::Fcm, http::router, options::Options, registry::PlatformRegistry, sns::Sns, state::App,
    upstream::Upstream,
};

/// A running emulator. Dropping the value stops it. It can be started and stopped inside and outside of async code.
#[derive(Debug)]
pub struct MobilePushEmulator(Server);

impl MobilePushEmulator {
    /// Starts an emulator on the loopback interface. It accepts requests when this returns.
    pub fn start(options: Options) -> Result<Self> {
        let upstream = options.upstream.as_deref().map(Upstream::new).transpose()?;
        let sns = Sns {
            registry: PlatformRegistry::default(),
            fcm: Fcm::new(options.history_limit),
            faults: ActiveFaults::default(),
            lookup_lag: i64::try_from(options.lookup_lag.as_millis())?,
        };
        let app = Arc::new(App::new(sns, upstream));
        Ok(Self(Server::start("mobile-push", options.port, |_| router(app))?))
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

/// Runs an emulator until SIGTERM or Ctrl-C: `cargo xtask phones`.
pub async fn run(options: Options) -> Result<()> {
    serve_until_shutdown(|| MobilePushEmulator::start(options), MobilePushEmulator::endpoint).await
}
