//! `thumbnailer`: makes a picture's variants when it is uploaded and deletes them when it is deleted.

mod handler;
mod render;

use function_kit::logs;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    derivatives::run(handler::VariantRenderer).await
}
