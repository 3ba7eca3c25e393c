//! `audio-worker`: a recording lands, what is played and drawn of it appears; it goes, and that goes.

mod ffmpeg;
mod prepare;
mod reason;
mod spool;
mod stories;
mod temp_dir;

use function_kit::{config::required, logs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    // The program that decodes and encodes.
    let ffmpeg = required("FFMPEG_PATH")?.into();
    derivatives::run(stories::Stories { ffmpeg }).await.map_err(anyhow::Error::from_boxed)
}
