use function_kit::failure::Failure;
use http::Method;
use serde_json::{Value, json};

use crate::{Client, Settings};

/// The index, by its alias. What stands behind the alias has the alias's name and a number:
/// `search-000001`.
#[derive(Debug, Clone)]
pub struct Index {
    pub(crate) client: Client,
    pub(crate) alias: String,
}

impl Index {
    /// The index behind `alias`.
    pub fn new(client: Client, alias: String) -> Self {
        Self { client, alias }
    }

    /// Makes the first index and lets the alias lead to it. May be done twice, and by several at a time.
    ///
    /// # Errors
    /// If OpenSearch refuses, or cannot be reached.
    pub async fn create_first(&self, settings: &Settings) -> Result<(), Failure> {
        let name = self.numbered(1);
        self.create(&name, settings).await?;
        self.switch_to(&name, settings).await
    }

    /// The name of the index with this number.
    pub fn numbered(&self, number: u32) -> String {
        format!("{}-{number:06}", self.alias)
    }

    /// Makes an index that the alias does not lead to; no error if there is one of that name.
    ///
    /// # Errors
    /// If OpenSearch refuses, or cannot be reached.
    pub async fn create(&self, name: &str, settings: &Settings) -> Result<(), Failure> {
        const DOING: &str = "make an index";
        let answer = self.client.json(DOING, Method::PUT, &format!("/{name}"), &settings.body).await?;
        if answer.is_success() || answer.error_type() == "resource_already_exists_exception" {
            return Ok(());
        }
        Err(answer.failure(DOING))
    }

    /// Lets the alias lead to this index and to no other, at once.
    ///
    /// # Errors
    /// If OpenSearch refuses, or cannot be reached.
    pub async fn switch_to(&self, name: &str, settings: &Settings) -> Result<(), Failure> {
        const DOING: &str = "switch the alias";
        let all = format!("{}-*", self.alias);
        let mut add = json!({"index": name, "alias": self.alias, "is_write_index": true});
        if let Some(filter) = &settings.shown {
            add["filter"] = filter.clone();
        }
        // Beside an action that does something, there may be nothing to remove.
        let actions = json!({"actions": [{"remove": {"index": all, "alias": self.alias}}, {"add": add}]});
        self.client.json(DOING, Method::POST, "/_aliases", &actions).await?.read::<Value>(DOING).map(drop)
    }
}
