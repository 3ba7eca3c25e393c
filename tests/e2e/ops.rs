//! The operator's tool, used on the deployed stack.
//!
//! Functions: stream-poller, push-fanout, thumbnailer, audio-worker, metadata-writer, search-indexer, media-api, upload-api,
//! device-api, search-api.

mod dead_letters;
mod reports;
mod setup;
mod smoke;
mod take_down;

use anyhow::Context;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use clap::Parser;
use domain::media::MediaId;
use neptune::Commit;
use ops::Arguments;
use serde_json::{Value, json};
use test_support::{
    photographs::photograph,
    wait::{wait_for, wait_until},
};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::{deployed::Deployed, stack_lock::invoke_poller};

/// The stack's name in `samconfig.toml`.
const STACK: &str = "iyagi";

/// Runs `cargo xtask ops …` for the stack under test as an operator; returns its report as JSON.
async fn run_ops(deployed: &Deployed, arguments: &[&str]) -> Value {
    run_ops_as(deployed, operator(deployed).await, STACK, arguments).await
}

/// Runs `cargo xtask ops --stack … …` with all permissions; returns its report as JSON.
async fn run_ops_on(deployed: &Deployed, stack: &str, arguments: &[&str]) -> Value {
    let keys = Credentials::from_keys(aws_client::ACCESS_KEY, aws_client::SECRET_KEY, None);
    run_ops_as(deployed, keys, stack, arguments).await
}

async fn run_ops_as(deployed: &Deployed, credentials: Credentials, stack: &str, arguments: &[&str]) -> Value {
    let arguments = [&["ops"], arguments].concat();
    let command = Arguments::try_parse_from(arguments).expect("command").command;
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(aws_client::REGION))
        .endpoint_url(deployed.stack.emulator.endpoint())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(ops::tls::http_client())
        .build();
    let report = ops::run(config, stack, &command).await.expect("report");
    println!("{report}");
    serde_json::to_value(report).expect("JSON")
}

/// Credentials of the template's role for operators. The emulator knows no second factor, so it refuses the role, until it
/// is given another condition.
async fn operator(deployed: &Deployed) -> Credentials {
    static OPERATOR: OnceCell<Credentials> = OnceCell::const_new();
    let sign_in = async || {
        let role = deployed.output("OperatorRoleArn");
        let refused = assume(deployed, role, "").await.expect_err("no second factor").to_string();
        assert!(refused.contains("AccessDenied"), "{refused}");
        let trust = json!({"Statement": [{
            "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": FACTOR}},
        }]})
        .to_string();
        let name = role.rsplit('/').next().expect("a name");
        let update = [
            ("Action", "UpdateAssumeRolePolicy"),
            ("Version", "2010-05-08"),
            ("RoleName", name),
            ("PolicyDocument", &trust),
        ];
        deployed.aws.query("iam", &update).await.expect("updated");
        assume(deployed, role, FACTOR).await.expect("a session")
    };
    OPERATOR.get_or_init(sign_in).await.clone()
}

/// Stands for the second factor.
const FACTOR: &str = "second-factor";

async fn assume(deployed: &Deployed, role: &str, external_id: &str) -> anyhow::Result<Credentials> {
    let mut request = vec![
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("RoleArn", role),
        ("RoleSessionName", "mina"),
        ("SerialNumber", "arn:aws:iam::000000000000:mfa/mina"),
        ("TokenCode", "123456"),
    ];
    request.extend([("ExternalId", external_id)].into_iter().filter(|(_, id)| !id.is_empty()));
    let response = deployed.aws.query("sts", &request).await?;
    let response = roxmltree::Document::parse(&response)?;
    let text = |name: &str| {
        let node = response.descendants().find(|node| node.tag_name().name() == name);
        Ok::<_, anyhow::Error>(node.and_then(|node| node.text()).context(name.to_owned())?.to_owned())
    };
    Ok(Credentials::from_keys(text("AccessKeyId")?, text("SecretAccessKey")?, Some(text("SessionToken")?)))
}

#[tokio::test]
async fn reprocess_restores_lost_variants_and_renews_all() {
    let deployed = Deployed::shared().await;
    let owner = Uuid::new_v4().to_string();
    let key = format!("photo/{owner}/고양이.jpg");
    let id = deployed.put_original(&key, "image/jpeg", photograph("고양이.jpg")).await;
    let before = deployed.wait_until_processed(id).await;
    let variants = deployed.derived_keys(id).await;
    let lost = variants.first().expect("variant");
    deployed.aws.delete_object(deployed.output("DerivedBucketName"), lost).await.expect("object deleted");

    let id_text = id.to_string();
    let dry_run = run_ops(&deployed, &["media", "reprocess", "--id", &id_text]).await;
    assert_eq!((&dry_run["applied"], &dry_run["pictures"]), (&json!(false), &json!(1)), "{dry_run}");
    let applied = run_ops(&deployed, &["media", "reprocess", "--id", &id_text, "--apply"]).await;
    assert_eq!((&applied["applied"], &applied["pictures"]), (&json!(true), &json!(1)), "{applied}");
    wait_until("the variant", async || deployed.derived_keys(id).await == variants).await;
    assert_eq!(deployed.item(id).await.expect("item"), before, "the item has changed");

    // With `--anew`: other URLs, the same place in lists, and the state stays `ready`.
    let prefix = format!("photo/{owner}/");
    let applied = run_ops(&deployed, &["media", "reprocess", "--prefix", &prefix, "--anew", "--apply"]).await;
    assert_eq!(applied["pictures"], 1, "{applied}");
    let after = wait_for("other variants", async || {
        let item = deployed.item(id).await.expect("item");
        assert_eq!(item["state"], "ready");
        (item["variants"][0]["url"] != before["variants"][0]["url"]).then_some(item)
    })
    .await;
    assert_eq!(after["createdAt"], before["createdAt"]);
    let new = deployed.derived_keys(id).await;
    assert!(new.len() == variants.len() && new.iter().all(|key| !variants.contains(key)), "{new:?}");

    // A deleted item stays deleted.
    deployed.delete_original(&key).await;
    wait_until("the deletion", async || deployed.item(id).await.is_none()).await;
    deployed.wait_until_no_derived_files(id).await;
    let applied = run_ops(&deployed, &["media", "reprocess", "--id", &id_text, "--anew", "--apply"]).await;
    assert_eq!((&applied["pictures"], &applied["deleted"]), (&json!(0), &json!(1)), "{applied}");
    let unknown = MediaId::of_key(&format!("photo/{owner}/never")).to_string();
    let applied = run_ops(&deployed, &["media", "reprocess", "--id", &unknown, "--apply"]).await;
    assert_eq!(applied["unknown"], 1, "{applied}");
}

#[tokio::test]
async fn stream_status_shows_position_and_replay_publishes_one_commit() {
    let deployed = Deployed::shared().await;
    let id = format!("person-{}", Uuid::new_v4());
    let commit = Commit::new().add_vertex(&id, ["person"]).set(&id, "name", "미나");
    let commit = deployed.commit(&commit).await;
    let status = wait_for("the commit to be published", async || {
        let status = run_ops(&deployed, &["stream", "status"]).await;
        let position = status["position"].as_str().and_then(|text| text.split_once('/'))?;
        (position.0.parse::<u64>().ok()? >= commit).then_some(status)
    })
    .await;
    let lease = &status["lease"];
    assert!(lease["owner"].is_string() && lease["age"].is_u64() && lease["expiresIn"].is_u64(), "{status}");
    assert_eq!(status["silence"], Value::Null, "{status}");
    let unread = &status["unread"];
    let days = unread["oldestExpiresIn"].as_u64().map(|seconds| seconds.div_ceil(86_400));
    assert_eq!(days, Some(7), "the stream is new: {status}");
    assert!(unread["head"].is_string() && unread["lagCommits"].is_u64(), "{status}");

    let _lock = invoke_poller().await;
    let number = commit.to_string();
    let range = ["stream", "replay", "--from", &number, "--to", &number];
    let dry_run = run_ops(&deployed, &range).await;
    assert_eq!((&dry_run["applied"], &dry_run["changes"]), (&json!(false), &json!(1)), "{dry_run}");
    let replayed = run_ops(&deployed, &[&range[..], &["--apply"]].concat()).await;
    assert_eq!((&replayed["applied"], &replayed["changes"]), (&json!(true), &json!(1)), "{replayed}");
    assert_eq!(replayed["position"], dry_run["position"]);
}
