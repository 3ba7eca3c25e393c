//! `thumbnailer`: a picture lands, its variants appear; it goes, and they go.

mod develop;
mod handler;

use function_kit::logs;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    derivatives::run(handler::Variants).await.map_err(anyhow::Error::from_boxed)
}
