//! The way from an empty account to production, before the backend itself is deployed: `setup`.
//!
//! ```text
//! steps     the AWS CLI commands, in their order, and the parameters that they yield
//! run       runs or prints what is missing, and writes the parameters into samconfig.toml
//! ```

mod run;
mod steps;

use std::path::PathBuf;

pub use run::{SetupReport, setup};

/// Selects the parts of the backend to prepare. A part whose parameters are in samconfig.toml is done.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub struct SetupOptions {
    /// The environment of samconfig.toml that gets the parameters.
    #[arg(long, default_value = "production")]
    pub config_env: String,
    /// The configuration of the SAM CLI, beside the folder infra.
    #[arg(long, default_value = "samconfig.toml")]
    pub config_file: PathBuf,
    /// The address that receives alarms, and has to confirm that.
    #[arg(long, value_name = "ADDRESS")]
    pub alarms: Option<String>,
    /// A KMS key of your own. A graph cannot get one later.
    #[arg(long)]
    pub key: bool,
    /// Network and graph.
    #[arg(long)]
    pub graph: bool,
    /// The domain of the search.
    #[arg(long)]
    pub search: bool,
    /// The domain is in the network of the graph.
    #[arg(long, requires = "search", requires = "graph")]
    pub search_in_vpc: bool,
    /// Sound: the ZIP of a Lambda layer with bin/ffmpeg, from `cargo xtask layer`.
    #[arg(long, value_name = "FILE")]
    pub ffmpeg_layer: Option<PathBuf>,
    /// Push: the JSON of the service account that sends through FCM.
    #[arg(long, value_name = "FILE")]
    pub push: Option<PathBuf>,
    /// A key that signs URLs of files that are not public.
    #[arg(long)]
    pub delivery: bool,
    /// The program of the AWS CLI.
    #[arg(long, default_value = "aws", value_name = "PROGRAM")]
    pub aws_cli: PathBuf,
    /// Run the commands. Without it they are printed.
    #[arg(long)]
    pub apply: bool,
}

impl SetupOptions {
    /// Whether any part is selected.
    fn selects_a_part(&self) -> bool {
        let Self { alarms, key, graph, search, ffmpeg_layer, push, delivery, .. } = self;
        let files = [alarms.is_some(), ffmpeg_layer.is_some(), push.is_some()];
        *key || *graph || *search || *delivery || files.contains(&true)
    }
}
