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

use function_kit::{config::required, logs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let ffmpeg = required("FFMPEG_PATH")?.into();
    derivatives::run(renderer::AudioRenderer { ffmpeg }).await.map_err(anyhow::Error::from_boxed)
}
