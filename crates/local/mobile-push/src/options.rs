use std::time::Duration;

/// How the stand-in behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port of loopback to listen on; 0 takes a free one.
    pub port: u16,
    /// What plays the rest of AWS, as in `http://127.0.0.1:4566`; without it, nobody asks IAM, no
    /// topic is told anything, and all other calls are answered 501.
    pub upstream: Option<String>,
    /// For how long a new endpoint is not found: look-ups are eventually consistent.
    pub lookup_lag: Duration,
    /// How many notifications, and how many that are not shown, are remembered.
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
    /// The port of 127.0.0.1 to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Pass all other calls on to the emulator of AWS at this address, and ask it about permissions.
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    /// Answer NotFound for so long when a new endpoint is looked up.
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
