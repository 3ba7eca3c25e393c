use function_kit::failure::Failure;
use http::Method;
use serde_json::{Value, json};

use crate::{Client, Settings, bulk_limits::BulkLimits};

/// Index behind an alias. The indexes are named after the alias, with a number: `search-000001`.
#[derive(Debug, Clone)]
pub struct Index {
    pub(crate) client: Client,
    pub(crate) alias: String,
    pub(crate) bulk_limits: BulkLimits,
}

impl Index {
    /// The index behind `alias`.
    pub fn new(client: Client, alias: String) -> Self {
        Self { client, alias, bulk_limits: BulkLimits::default() }
    }

    /// Writes with requests of this size.
    #[must_use]
    pub fn with_bulk_limits(self, bulk_limits: BulkLimits) -> Self {
        Self { bulk_limits, ..self }
    }

    /// Creates index number 1 and points the alias to it. Idempotent, also in parallel.
    ///
    /// # Errors
    /// If OpenSearch rejects the request or is not reachable.
    pub async fn create_first(&self, settings: &Settings) -> Result<(), Failure> {
        let name = self.index_name(1);
        self.create(&name, settings).await?;
        self.switch_alias(&name, settings).await
    }

    /// Name of the index with this number.
    pub fn index_name(&self, number: u32) -> String {
        format!("{}-{number:06}", self.alias)
    }

    /// Creates an index without an alias. An existing index of this name is no error.
    ///
    /// # Errors
    /// If OpenSearch rejects the request or is not reachable.
    pub async fn create(&self, name: &str, settings: &Settings) -> Result<(), Failure> {
        const DOING: &str = "create an index";
        let response = self.client.json(DOING, Method::PUT, &format!("/{name}"), &settings.body).await?;
        if response.is_success() || response.error_type() == "resource_already_exists_exception" {
            return Ok(());
        }
        Err(response.failure(DOING))
    }

    /// Points the alias to this index and to no other, atomically.
    ///
    /// # Errors
    /// If OpenSearch rejects the request or is not reachable.
    pub async fn switch_alias(&self, name: &str, settings: &Settings) -> Result<(), Failure> {
        const DOING: &str = "switch the alias";
        let all = format!("{}-*", self.alias);
        let mut add = json!({"index": name, "alias": self.alias, "is_write_index": true});
        if let Some(filter) = &settings.alias_filter {
            add["filter"] = filter.clone();
        }
        // `remove` without a match is no error, because `add` changes something.
        let actions = json!({"actions": [{"remove": {"index": all, "alias": self.alias}}, {"add": add}]});
        self.client.json(DOING, Method::POST, "/_aliases", &actions).await?.read::<Value>(DOING).map(drop)
    }
}
