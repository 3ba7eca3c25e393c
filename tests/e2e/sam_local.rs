//! The environment file for `sam local invoke`, read by the SAM CLI's own resolver.
//!
//! Functions: all.

use stack::{Stack, sam_local};

#[tokio::test]
async fn variables_of_sam_local_are_those_of_the_running_stack() {
    let name = "sam-local-test";
    tokio::task::spawn_blocking(move || {
        let stack = Stack::under_test().expect("stack");
        let deployed = sam_local::write(&stack, name, "172.17.0.1").expect("files");
        let settings = sam_local::resolved(name, true).expect("variables");
        assert!(settings.len() >= 11, "{settings:?}");
        assert_eq!(sam_local::mistakes(&settings, &deployed), [""; 0]);
        for (function, variables) in &settings {
            let endpoint = &variables["AWS_ENDPOINT_URL"];
            assert!(endpoint.starts_with("http://172.17.0.1:"), "{function}: {endpoint}");
        }
        // Without the file, the same check finds what the SAM CLI makes of references.
        let without = sam_local::mistakes(&sam_local::resolved(name, false).expect("variables"), &deployed);
        for mistake in ["MediaApi: SEALING_SECRET_ARN is empty", "PushFanout: PUSH_QUEUE_URL is no URL: PushQueue"] {
            assert!(without.iter().any(|one| one == mistake), "{mistake}: {without:?}");
        }
    })
    .await
    .expect("checked");
}
