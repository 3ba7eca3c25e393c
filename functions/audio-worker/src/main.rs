//! `audio-worker`: makes renditions and waveforms of uploaded recordings, and deletes them with the original.

mod content_type;
mod error;
mod ffmpeg;
mod lazy_download;
mod prepare;
mod reason;
mod recording;
mod renderer;
mod renditions;
mod temp_dir;

use std::path::PathBuf;

use function_kit::{config::from_env, logs};
use serde::Deserialize;

#[derive(Deserialize)]
struct Config {
    #[serde(rename = "FFMPEG_PATH")]
    ffmpeg: PathBuf,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    // Before any credential is fetched.
    ffmpeg::protect_this_process()?;
    let Config { ffmpeg } = from_env()?;
    derivatives::run(renderer::AudioRenderer { ffmpeg }).await
}
