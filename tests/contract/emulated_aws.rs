//! An emulator of AWS for one test.

use aws_client::{ACCESS_KEY, AwsClient, REGION, SECRET_KEY};
use lambda_runtime_api::Function;
use serde_json::{Value, json};
use stack::{emulator::Emulator, functions};

/// An endpoint that refuses connections.
pub const UNREACHABLE: &str = "http://127.0.0.1:9";

/// The name of the secret that signs page tokens and upload handles.
pub const SEALING_SECRET: &str = "sealing";

/// A running emulator, which ends with this value. IAM is not enforced.
pub struct EmulatedAws {
    emulator: Emulator,
    pub client: AwsClient,
}

impl EmulatedAws {
    /// Starts an emulator. Each test needs another name: a second emulator of the same name ends the first.
    pub fn start(name: &str) -> Self {
        let emulator = Emulator::start(&format!("contract/{name}"), false).expect("emulator");
        Self { client: AwsClient::new(emulator.endpoint()), emulator }
    }

    pub fn endpoint(&self) -> String {
        self.emulator.endpoint()
    }

    /// Creates a table whose keys are strings: the partition key, and perhaps the sort key.
    pub async fn create_table(&self, name: &str, keys: &[&str]) {
        self.create_table_with_index(name, keys, None).await;
    }

    /// Creates a table with one index, its name and its keys: a local one if it has the table's partition key.
    pub async fn create_table_with_index(&self, name: &str, keys: &[&str], index: Option<(&str, &[&str])>) {
        let mut attributes = keys.to_vec();
        let mut table = json!({"TableName": name, "BillingMode": "PAY_PER_REQUEST", "KeySchema": key_schema(keys)});
        if let Some((index, keys)) = index {
            let kind = if attributes[0] == keys[0] { "LocalSecondaryIndexes" } else { "GlobalSecondaryIndexes" };
            attributes.extend(keys.iter().filter(|name| **name != attributes[0]).collect::<Vec<_>>());
            table[kind] = json!([{
                "IndexName": index, "KeySchema": key_schema(keys), "Projection": {"ProjectionType": "ALL"}
            }]);
        }
        table["AttributeDefinitions"] =
            attributes.iter().map(|name| json!({"AttributeName": name, "AttributeType": "S"})).collect();
        self.client.json("dynamodb", "DynamoDB_20120810.CreateTable", &table).await.expect("table");
    }

    /// Creates [`SEALING_SECRET`].
    pub async fn create_sealing_secret(&self) {
        let secret = json!({"Name": SEALING_SECRET, "SecretString": "0123456789abcdef0123456789abcdef"});
        self.client.json("secretsmanager", "secretsmanager.CreateSecret", &secret).await.expect("secret");
    }

    /// Starts the function with this logical id in the template, with these settings.
    pub async fn start_function(&self, logical_id: &str, settings: &[(&str, &str)]) -> Function {
        start_function_at(&self.endpoint(), logical_id, settings).await
    }
}

impl Drop for EmulatedAws {
    fn drop(&mut self) {
        self.emulator.stop().expect("the emulator ends");
    }
}

/// Starts a function that calls AWS at `endpoint`.
pub async fn start_function_at(endpoint: &str, logical_id: &str, settings: &[(&str, &str)]) -> Function {
    let mut environment = vec![
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ("AWS_REGION", REGION),
        ("CALLER_BURST", "20"),
        ("CALLER_RATE", "1"),
    ];
    environment.extend(settings);
    Function::start(&functions::packaged_binary(logical_id), &environment).await.expect("the function starts")
}

fn key_schema(keys: &[&str]) -> Value {
    keys.iter().zip(["HASH", "RANGE"]).map(|(name, kind)| json!({"AttributeName": name, "KeyType": kind})).collect()
}
