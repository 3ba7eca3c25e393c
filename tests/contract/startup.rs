//! The start of a function's process.

use lambda_runtime_api::Function;
use stack::functions;

use crate::events::event;

#[tokio::test]
async fn function_without_settings_ends_at_start() {
    let mut thumbnailer = Function::start(&functions::packaged_binary("Thumbnailer"), &[]).await.expect("process");
    let response = thumbnailer.invoke(&event("photo-landed")).await;
    assert!(response.is_err(), "{response:?}");
}
