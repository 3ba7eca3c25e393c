//! Emulators as processes beside a stack.

use std::path::Path;

use stack::sidecar::Sidecar;

#[tokio::test]
async fn sidecar_runs_until_it_is_stopped() {
    let program = Path::new(env!("CARGO_BIN_EXE_xtask"));
    let sidecar = Sidecar::start("test-sidecar", program, "phones", &[]).expect("a sidecar");
    let phones = mobile_push::Client::new(sidecar.endpoint());
    assert_eq!(phones.head().await.expect("a response"), 0);
    assert_eq!(Sidecar::running("test-sidecar", "phones").as_ref(), Some(&sidecar));
    sidecar.stop().expect("stopped");
    assert_eq!(Sidecar::running("test-sidecar", "phones"), None);
    phones.head().await.expect_err("no response");
    let invalid = Sidecar::start("test-sidecar", program, "phones", &["--upstream", "not a URL"]);
    invalid.expect_err("the sidecar does not start");
}
