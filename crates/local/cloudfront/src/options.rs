use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use super::{PublicKey, PublicKeys};

/// What an edge is told.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port of loopback to listen on; 0 takes a free one.
    pub port: u16,
    /// What plays the rest of AWS, as in `http://127.0.0.1:4566`.
    pub upstream: String,
    /// Whose signatures count.
    pub keys: PublicKeys,
}

/// `cargo xtask edge`'s arguments.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The port of 127.0.0.1 to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The emulator of AWS whose distribution this is an edge of.
    #[arg(long, value_name = "URL")]
    upstream: String,
    /// Id of the public key whose signatures count.
    #[arg(long, value_name = "ID", requires = "key")]
    key_id: Option<String>,
    /// The public key itself: a PEM file.
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
