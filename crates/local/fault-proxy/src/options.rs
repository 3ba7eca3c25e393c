/// What a fault proxy is told.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The port of loopback to listen on; 0 takes a free one.
    pub port: u16,
    /// What plays AWS, as in `http://127.0.0.1:4566`.
    pub aws: String,
    /// What plays SNS, if another does.
    pub sns: Option<String>,
    /// What plays Neptune, if another does.
    pub neptune: Option<String>,
    /// What plays OpenSearch, if another does.
    pub search: Option<String>,
}

/// `cargo xtask faults`' arguments.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The port of 127.0.0.1 to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// What plays AWS.
    #[arg(long, value_name = "URL")]
    aws: String,
    /// What plays SNS, if another does.
    #[arg(long, value_name = "URL")]
    sns: Option<String>,
    /// What plays Neptune, if another does.
    #[arg(long, value_name = "URL")]
    neptune: Option<String>,
    /// What plays OpenSearch, if another does.
    #[arg(long, value_name = "URL")]
    search: Option<String>,
}

impl From<Arguments> for Options {
    fn from(arguments: Arguments) -> Self {
        let Arguments { port, aws, sns, neptune, search } = arguments;
        Self { port, aws, sns, neptune, search }
    }
}
