use std::sync::Arc;

use anyhow::Result;
use http_server::{Server, ActiveFaults, serve_until_shutdown};

use super::{
    client::Client,
    registry::PlatformRegistry,
    http::{App, router},
    fcm::Fcm,
    options::Options,
    sns::Sns,
    upstream::Upstream,
};

/// A running stand-in, which ends with this value. It may be started and ended from inside and
/// outside of async code.
#[derive(Debug)]
pub struct MobilePushEmulator(Server);

impl MobilePushEmulator {
    /// Starts a stand-in on loopback. It answers when this returns.
    pub fn start(options: Options) -> Result<Self> {
        let upstream = options.upstream.as_deref().map(Upstream::new).transpose()?;
        let sns = Sns {
            registry: PlatformRegistry::default(),
            fcm: Fcm::new(options.history_limit),
            faults: ActiveFaults::default(),
            lookup_lag: i64::try_from(options.lookup_lag.as_millis())?,
        };
        let app = Arc::new(App::new(sns, upstream));
        Ok(Self(Server::start("phones", options.port, |_| router(app))?))
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

/// `cargo xtask phones`: runs a stand-in until SIGTERM or Ctrl-C.
pub async fn run(options: Options) -> Result<()> {
    serve_until_shutdown(|| MobilePushEmulator::start(options), MobilePushEmulator::endpoint).await
}
