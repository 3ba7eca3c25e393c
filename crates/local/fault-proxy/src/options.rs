/// Settings of a fault proxy.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Loopback port; 0 selects a free port.
    pub port: u16,
    /// Endpoint of the AWS emulator, such as `http://127.0.0.1:4566`.
    pub aws: String,
    /// Endpoint of the SNS emulator, if separate.
    pub sns: Option<String>,
    /// Endpoint of the Neptune emulator, if separate.
    pub neptune: Option<String>,
    /// Endpoint of the OpenSearch emulator, if separate.
    pub search: Option<String>,
}

/// `cargo xtask faults`' arguments.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Port on 127.0.0.1; 0 selects a free port.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Endpoint of the AWS emulator.
    #[arg(long, value_name = "URL")]
    aws: String,
    /// Endpoint of the SNS emulator, if separate.
    #[arg(long, value_name = "URL")]
    sns: Option<String>,
    /// Endpoint of the Neptune emulator, if separate.
    #[arg(long, value_name = "URL")]
    neptune: Option<String>,
    /// Endpoint of the OpenSearch emulator, if separate.
    #[arg(long, value_name = "URL")]
    search: Option<String>,
}

impl From<Arguments> for Options {
    fn from(arguments: Arguments) -> Self {
        let Arguments { port, aws, sns, neptune, search } = arguments;
        Self { port, aws, sns, neptune, search }
    }
}
