//! The function that makes people's copies: it is killed in the middle of one, and continues.

use std::time::Duration;

use aws_client::AwsClient;
use lambda_runtime_api::Outcome;
use serde_json::{Value, json};
use stack::tools::Tool;
use test_support::{
    queues::{create_fifo_queue, take_messages},
    wait::wait_until,
};

use crate::{
    account_api::{cognito, create_versioned_bucket},
    emulated_aws::EmulatedAws,
    events::event,
    responses::consume,
};

const SUB: &str = "mina";
/// Id of the export in `tests/events/export-account.json`.
const ID: &str = "5d0c7f3e9a1b4c2d8e6f70a1b2c3d4e5";
/// Originals, which together have several parts.
const FILES: usize = 5;
const FILE_SIZE: usize = 11 << 20;

/// The time limit of an invocation, as in the template.
const ENOUGH: Duration = Duration::from_secs(300);

/// The tables, and their keys.
const TABLES: [(&str, &str, &[&str]); 10] = [
    ("EXPORTS_TABLE", "exports", &["owner"]),
    ("REPORTS_TABLE", "reports", &["reporter", "media_id"]),
    ("QUOTAS_TABLE", "quotas", &["owner", "item"]),
    ("DEVICES_TABLE", "devices", &["user", "item"]),
    ("INBOX_TABLE", "inbox", &["pk", "sk"]),
    ("INBOX_READ_TABLE", "inbox-read", &["user"]),
    ("AUDIENCE_TABLE", "audience", &["pk", "sk"]),
    ("FOLLOWS_TABLE", "follows", &["pk", "sk"]),
    ("LEDGER_TABLE", "ledger", &["id"]),
    ("SEARCH_TABLE", "search", &["id"]),
];

/// Prints names, sizes and checksums of the entries of a zip file.
const LIST: &str = "\
import io, json, sys, zipfile
with zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read())) as archive:
    assert archive.testzip() is None
    print(json.dumps({entry.filename: [entry.file_size, entry.CRC] for entry in archive.infolist()}))
";

fn content(number: usize) -> Vec<u8> {
    (0..FILE_SIZE).map(|index| u8::try_from((index * 7 + number) % 251).expect("a byte")).collect()
}

async fn put(aws: &AwsClient, table: &str, row: Value) {
    let put = json!({"TableName": table, "Item": row});
    aws.json("dynamodb", "DynamoDB_20120810.PutItem", &put).await.expect("stored");
}

async fn row(aws: &AwsClient) -> Value {
    let get = json!({"TableName": "exports", "Key": {"owner": {"S": SUB}}, "ConsistentRead": true});
    aws.json("dynamodb", "DynamoDB_20120810.GetItem", &get).await.expect("a row")["Item"].clone()
}

async fn object(aws: &AwsClient, path: &str) -> Vec<u8> {
    let response = aws.send("s3", http::Method::GET, path, &[], Vec::new()).await.expect("an object");
    assert!(response.status.is_success(), "{path}: {}", response.status);
    response.body
}

/// Names, sizes and checksums, by Python.
fn list(zip: &[u8]) -> Value {
    use std::{io::Write, process::Stdio};
    let mut python = Tool::Emulator.command("python");
    let mut python = python.args(["-c", LIST]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Python");
    python.stdin.take().expect("input").write_all(zip).expect("written");
    let output = python.wait_with_output().expect("Python");
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test]
async fn killed_function_continues_where_it_was_and_the_copy_is_whole() {
    let emulated = EmulatedAws::start("export");
    let aws = emulated.client.clone();
    for (_, name, keys) in TABLES {
        emulated.create_table(name, keys).await;
    }
    emulated.create_table_with_index("media", &["id"], Some(("all_for_owner", &["all_for_owner", "listed_at"]))).await;
    let now = jiff::Timestamp::now().to_string();
    let export = json!({"owner": {"S": SUB}, "id": {"S": ID}, "object": {"S": "o1"}, "state": {"S": "pending"},
        "created_at": {"S": now}, "revision": {"N": "0"}, "notified": {"BOOL": false}, "expires_at": {"N": "9999999999"}});
    put(&aws, "exports", export).await;
    let item = |owner: &str| json!({"id": {"S": format!("item-of-{owner}")}, "all_for_owner": {"S": owner}, "listed_at": {"S": "2026"}});
    put(&aws, "media", item(SUB)).await;
    put(&aws, "media", item("jun")).await;
    put(&aws, "devices", json!({"user": {"S": SUB}, "item": {"S": "device#phone"}, "token": {"S": "s3cr3t"}})).await;
    for recipient in [SUB, "mina2"] {
        put(&aws, "ledger", json!({"id": {"S": format!("told#follow#main/7/1#{recipient}")}})).await;
    }
    let pool = cognito(&aws, "CreateUserPool", json!({"PoolName": "users"})).await["UserPool"]["Id"].clone();
    let pool = pool.as_str().expect("pool");
    cognito(&aws, "AdminCreateUser", json!({"UserPoolId": pool, "Username": "m"})).await;
    create_versioned_bucket(&aws, "originals").await;
    create_versioned_bucket(&aws, "exports-bucket").await;
    for number in 0..FILES {
        let key = format!("audio/{SUB}/{number}");
        aws.put_object("originals", &key, "audio/mp4", content(number)).await.expect("stored");
    }
    aws.put_object("originals", "audio/jun/0", "audio/mp4", content(9)).await.expect("stored");
    let queue = create_fifo_queue(&aws, "exports.fifo").await;
    let dead_letters = create_fifo_queue(&aws, "exports-dlq.fifo").await;
    let push = create_fifo_queue(&aws, "push.fifo").await;
    let mut settings = vec![
        ("MEDIA_TABLE", "media"),
        ("ORIGINALS_BUCKET", "originals"),
        ("EXPORTS_BUCKET", "exports-bucket"),
        ("USER_POOL_ID", pool),
        ("QUEUE_URL", &queue),
        ("DEAD_LETTER_QUEUE_URL", &dead_letters),
        ("PUSH_QUEUE_URL", &push),
    ];
    settings.extend(TABLES.map(|(setting, name, _)| (setting, name)));

    // An invocation with little time left ends after each step, and sends the next turn.
    let mut function = emulated.start_function("ExportWorker", &settings).await;
    let export = event("export-account");
    let short = function.invoke_with_timeout(Duration::from_secs(95), &export).await.expect("a response");
    assert!(format!("{short:?}").contains("batchItemFailures"), "{short:?}");
    let mut turns = take_messages(&aws, &queue, |_| true).await;
    assert_eq!(turns.len(), 1, "the next turn");
    let next = turns.remove(0);
    assert!(next.contains("\"turn\":1"), "{next}");

    // The function is killed after the first part.
    let turn = json!({"Records": [{"messageId": "m", "body": next}]});
    let parts =
        async || row(&aws).await["progress"]["S"].as_str().is_some_and(|progress| !progress.contains("\"parts\":0"));
    tokio::select! {
        outcome = function.invoke_with_timeout(ENOUGH, &turn) => panic!("it was not killed in the middle: {outcome:?}"),
        () = wait_until("the first part", parts) => {}
    }
    function.kill().await.expect("killed");
    assert_eq!(row(&aws).await["state"]["S"], "pending");

    // The message is delivered again, and twice more after the end.
    let mut function = emulated.start_function("ExportWorker", &settings).await;
    for _ in 0..3 {
        let outcome = function.invoke_with_timeout(ENOUGH, &turn).await.expect("a response");
        assert!(matches!(outcome, Outcome::Response(response) if response == json!({"batchItemFailures": []})));
    }
    let stored = row(&aws).await;
    assert_eq!((&stored["state"]["S"], &stored["files"]["N"]), (&json!("ready"), &json!(FILES.to_string())));
    let zip = object(&aws, "/exports-bucket/zip/mina/o1.zip").await;
    assert_eq!(stored["size"]["N"], zip.len().to_string());
    let entries = list(&zip);
    let sizes: Vec<_> = entries
        .as_object()
        .expect("entries")
        .iter()
        .filter(|(name, _)| name.starts_with("originals/audio/"))
        .map(|(_, entry)| entry[0].clone())
        .collect();
    assert_eq!(sizes, vec![json!(FILE_SIZE); FILES]);
    assert_eq!(entries.as_object().map(serde_json::Map::len), Some(FILES + 1), "{entries}");
    let text = String::from_utf8_lossy(&zip[..100_000]);
    assert!(text.contains("item-of-mina") && !text.contains("item-of-jun") && !text.contains("s3cr3t"));
    assert!(text.contains("main/7/1#mina\"") && !text.contains("mina2"));
    let announced = take_messages(&aws, &push, |_| true).await;
    assert_eq!(announced.len(), 1, "{announced:?}");
    assert!(announced[0].contains("app.iyagi.push.export_ready"));
    let memory = function.peak_memory().expect("a number");
    assert!(memory < 200 << 20, "{memory} bytes for {} of originals", FILES * FILE_SIZE);

    // Without its row, nothing is made.
    let delete = json!({"TableName": "exports", "Key": {"owner": {"S": SUB}}});
    aws.json("dynamodb", "DynamoDB_20120810.DeleteItem", &delete).await.expect("deleted");
    consume(&mut function, &event("export-account")).await;
    assert_eq!(take_messages(&aws, &dead_letters, |_| true).await, Vec::<String>::new());
}
