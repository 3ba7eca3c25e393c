use std::time::Duration;

/// Settings of an emulator.
#[derive(Debug, Clone)]
pub struct Options {
    /// Loopback port; 0 selects a free port.
    pub port: u16,
    /// Endpoint of the AWS emulator, such as `http://127.0.0.1:4566`. `None`: IAM is not enforced, events are not
    /// published, and other calls return 501.
    pub upstream: Option<String>,
    /// How long lookups of a new endpoint fail: they are eventually consistent.
    pub lookup_lag: Duration,
    /// Number of notifications, and of undisplayed messages, that are kept.
    pub history_limit: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { port: 0, upstream: None, lookup_lag: Duration::ZERO, history_limit: 100_000 }
    }
}

/// `cargo xtask phones`' arguments.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Port on 127.0.0.1; 0 selects a free port.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Forward all other calls to the AWS emulator at this URL, and check permissions with it.
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    /// Return NotFound for lookups of a new endpoint for this long.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    lookup_lag: u64,
}

impl From<Arguments> for Options {
    fn from(arguments: Arguments) -> Self {
        Self {
            port: arguments.port,
            upstream: arguments.upstream,
            lookup_lag: Duration::from_millis(arguments.lookup_lag),
            ..Self::default()
        }
    }
}
