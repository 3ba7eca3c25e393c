//! `ops setup` and `ops preflight` against the emulator, as far as it goes: it has no Neptune.

use std::{
    fs::{self, File},
    os::unix::fs::symlink,
};

use serde_json::{Value, json};
use stack::{paths, tools::Tool};
use uuid::Uuid;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::run_ops_on;
use crate::deployed::Deployed;

/// Fields of a report's findings.
fn findings<'a>(report: &'a Value, level: &str) -> Vec<&'a str> {
    let findings = report["findings"].as_array().expect("findings").iter();
    findings
        .filter(|finding| finding["level"] == level)
        .map(|finding| finding["subject"].as_str().expect("text"))
        .collect()
}

#[tokio::test]
async fn setup_prepares_what_is_missing_once_and_preflight_accepts_it() {
    let deployed = Deployed::shared().await;
    // Names of secrets are short.
    let stack = format!("setup-{}", &Uuid::new_v4().simple().to_string()[..8]);
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let template = fs::read_to_string(paths::root().join("samconfig.toml")).expect("a file");
    // The stack under test has reserved executions in this account, too.
    let template = template.replace("ApiConcurrency=100", "ApiConcurrency=50");
    fs::write(path("samconfig.toml"), &template).expect("a file");
    symlink(paths::root().join("infra"), path("infra")).expect("a link");
    fs::write(path("account.json"), r#"{"type":"service_account"}"#).expect("a file");
    let mut layer = ZipWriter::new(File::create(path("ffmpeg.zip")).expect("a file"));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    layer.start_file("bin/ffmpeg", options).and_then(|()| layer.finish()).expect("an archive");
    let (config, aws) = (path("samconfig.toml"), Tool::Sam.bin().join("aws"));
    let (config, aws) = (config.to_str().expect("UTF-8"), aws.to_str().expect("UTF-8"));
    let parts =
        ["--alarms", "on-call@iyagi.example", "--key", "--push", "account.json", "--ffmpeg-layer", "ffmpeg.zip"];
    let setup = [&["setup", "--config-file", config, "--aws-cli", aws, "--delivery"], &parts[..]].concat();

    let dry_run = run_ops_on(&deployed, &stack, &setup).await;
    assert_eq!((dry_run["applied"].as_bool(), dry_run["steps"].as_array().map(Vec::len)), (Some(false), Some(5)));
    let apply = [&setup[..], &["--apply"]].concat();
    let applied = run_ops_on(&deployed, &stack, &apply).await;
    assert_eq!((applied["applied"].as_bool(), applied["steps"].as_array().map(Vec::len)), (Some(true), Some(5)));
    let written = fs::read_to_string(path("samconfig.toml")).expect("a file");
    for parameter in [
        "AlarmTopicArn=arn:aws:sns:",
        "KmsKeyArn=arn:aws:kms:",
        "FfmpegLayerArn=arn:aws:lambda:",
        "PushCredentialsSecretArn=arn:aws:secretsmanager:",
        "DeliveryKeySecretArn=arn:aws:secretsmanager:",
        "DeliveryPublicKey=",
    ] {
        let lines = written.lines().filter(|line| !line.trim().starts_with('#') && line.contains(parameter));
        assert_eq!(lines.count(), 1, "{parameter}: {written}");
    }
    assert!(!path("delivery.pem").exists(), "the private key is in Secrets Manager only");
    // Another configuration of the same stack gets the same key, and the file replaces the push credentials.
    let public_key = |text: &str| {
        let is_entry = |line: &&str| !line.trim().starts_with('#') && line.contains("DeliveryPublicKey=");
        let entry = text.lines().find(is_entry).expect("a public key");
        let rest = &text[text.find(entry).expect("the entry")..];
        rest.split("END PUBLIC KEY").next().expect("a key").trim().to_owned()
    };
    let second = tempfile::tempdir().expect("a folder");
    let second_config = second.path().join("samconfig.toml");
    fs::write(&second_config, &template).expect("a file");
    fs::write(second.path().join("account.json"), r#"{"type":"service_account","project_id":"new"}"#).expect("a file");
    let second_config = second_config.to_str().expect("UTF-8");
    let parts = ["--config-file", second_config, "--aws-cli", aws, "--delivery", "--push", "account.json", "--apply"];
    run_ops_on(&deployed, &stack, &[&["setup"], &parts[..]].concat()).await;
    let second_written = fs::read_to_string(second_config).expect("a file");
    assert_eq!(public_key(&second_written), public_key(&written));
    let input = json!({"SecretId": format!("{stack}-fcm")});
    let secret = deployed.aws.json("secretsmanager", "secretsmanager.GetSecretValue", &input).await.expect("a secret");
    assert_eq!(secret["SecretString"], r#"{"type":"service_account","project_id":"new"}"#);

    // The same call again finds nothing to do.
    let again = run_ops_on(&deployed, &stack, &apply).await;
    assert_eq!(again["steps"].as_array().map(Vec::len), Some(0), "{again}");

    let preflight = ["preflight", "--config-file", config, "--config-env", "production"];
    let report = run_ops_on(&deployed, &stack, &preflight).await;
    assert_eq!(findings(&report, "fails"), [""; 0], "{report}");
    for subject in ["account", "stack"] {
        assert!(findings(&report, "fine").contains(&subject), "{subject}: {report}");
    }
}

#[tokio::test]
async fn preflight_finds_names_that_an_earlier_stack_left() {
    let deployed = Deployed::shared().await;
    let stack = format!("left-{}", &Uuid::new_v4().simple().to_string()[..8]);
    let queue = [("Action", "CreateQueue"), ("Version", "2012-11-05"), ("Attribute.1.Name", "FifoQueue")];
    let name = format!("{stack}-push.fifo");
    let queue = [&queue[..], &[("Attribute.1.Value", "true"), ("QueueName", name.as_str())]].concat();
    deployed.aws.query("sqs", &queue).await.expect("queue");
    let config = paths::root().join("samconfig.toml");
    let preflight = ["preflight", "--config-file", config.to_str().expect("UTF-8")];
    let report = run_ops_on(&deployed, &stack, &preflight).await;
    assert_eq!(findings(&report, "fails"), ["names"], "{report}");
}
