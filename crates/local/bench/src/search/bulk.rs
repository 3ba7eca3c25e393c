//! Bulk requests of different sizes.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use domain::{
    media::Visibility,
    search::{Content, Document, Story},
};
use jiff::Timestamp;
use opensearch::{Client, Index, Outcome, Settings, Target};
use serde_json::json;
use stack::Stack;

use super::titles;
use crate::programs::{Row, object};

/// Documents per request. The client divides larger writes.
const SIZES: [usize; 4] = [10, 100, 300, 1_000];
/// Documents written for each size.
const DOCUMENTS: usize = 20_000;

/// Writes the same number of documents in requests of each size, one request at a time.
pub async fn measure(stack: &Stack) -> Result<Vec<Row>> {
    println!("Writing {DOCUMENTS} documents in bulk requests of {SIZES:?}");
    let documents = (0..DOCUMENTS).map(document).collect::<Result<Vec<_>>>()?;
    let settings = Settings::search(stack.search_engine().analyzer().parse()?);
    let mut rows = Vec::new();
    // The first round warms the engine up.
    for (round, size) in [1_000].into_iter().chain(SIZES).enumerate() {
        let index = Index::new(client(stack)?, format!("bulk-{round}"));
        index.create_first(&settings).await?;
        let start = Instant::now();
        for part in documents.chunks(size) {
            let outcomes = index.write(Target::Alias, part).await?;
            ensure!(outcomes.iter().all(|outcome| *outcome == Outcome::Written), "a document was not written");
        }
        let seconds = start.elapsed().as_secs_f64();
        if round > 0 {
            rows.push(object(json!({
                "row": format!("bulk requests of {size} documents"),
                "documents_per_second": DOCUMENTS as f64 / seconds,
                "ms_per_request": seconds * 1_000.0 * size as f64 / DOCUMENTS as f64,
            }))?);
        }
    }
    Ok(rows)
}

fn document(number: usize) -> Result<Document> {
    let published_at = Timestamp::from_millisecond(titles::published_at(number)).context("no time")?;
    let story = Story {
        title: titles::title(number),
        author: "mina".to_owned(),
        published_at,
        visibility: Visibility::Public,
        tags: Vec::new(),
    };
    Ok(Document { vertex: format!("bulk-{number:06}"), version: 1, content: Content::Story(story) })
}

/// A client with credentials that no engine checks.
fn client(stack: &Stack) -> Result<Client> {
    let credentials = Credentials::new("test", "test", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("ap-northeast-2"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    Ok(Client::new(&config, stack.search_endpoint())?)
}
