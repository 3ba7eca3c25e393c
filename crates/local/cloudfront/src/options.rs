use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use super::{PublicKey, PublicKeys};

/// Settings of an edge server.
#[derive(Debug, Clone)]
pub struct Options {
    /// Loopback port; 0 selects a free port.
    pub port: u16,
    /// Endpoint of the AWS emulator, such as `http://127.0.0.1:4566`.
    pub upstream: String,
    /// The trusted public keys.
    pub keys: PublicKeys,
}

/// `cargo xtask edge`'s arguments.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Port on 127.0.0.1; 0 selects a free port.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// URL of the AWS emulator that has the distribution.
    #[arg(long, value_name = "URL")]
    upstream: String,
    /// Id of the trusted public key.
    #[arg(long, value_name = "ID", requires = "key")]
    key_id: Option<String>,
    /// PEM file of the trusted public key.
    #[arg(long, value_name = "FILE", requires = "key_id")]
    key: Option<PathBuf>,
}

impl TryFrom<Arguments> for Options {
    type Error = anyhow::Error;

    fn try_from(arguments: Arguments) -> Result<Self> {
        let Arguments { port, upstream, key_id, key } = arguments;
        let mut keys = PublicKeys::new();
        if let (Some(id), Some(file)) = (key_id, key) {
            let pem = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            keys.insert(id, PublicKey::from_pem(&pem)?);
        }
        Ok(Self { port, upstream, keys })
    }
}
