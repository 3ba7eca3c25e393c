use std::sync::Arc;

use anyhow::Result;
use http_server::{Server, Standings, until_ended};

use super::{
    client::Client,
    directory::Directory,
    http::{App, router},
    network::Network,
    options::Options,
    sns::Sns,
    upstream::Upstream,
};

/// A running stand-in, which ends with this value. It may be started and ended from inside and
/// outside of async code.
#[derive(Debug)]
pub struct Phones(Server);

impl Phones {
    /// Starts a stand-in on loopback. It answers when this returns.
    pub fn start(options: Options) -> Result<Self> {
        let upstream = options.upstream.as_deref().map(Upstream::new).transpose()?;
        let sns = Sns {
            directory: Directory::default(),
            network: Network::new(options.memory),
            faults: Standings::default(),
            look_up_lag: i64::try_from(options.look_up_lag.as_millis())?,
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
    until_ended(|| Phones::start(options), Phones::endpoint).await
}
