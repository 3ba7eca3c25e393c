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
use opensearch::{BulkLimits, Client, Index, Outcome, Settings, Target};
use serde_json::json;
use stack::search_server::{Engine, SearchServer};

use super::{index::delete, titles};
use crate::programs::{Row, object};

/// Documents per request.
const SIZES: [usize; 7] = [10, 30, 100, 300, 1_000, 3_000, 10_000];
/// Documents written for each size.
const DOCUMENTS: usize = 20_000;
/// Rounds over all sizes. The fastest counts: other load on the machine only slows a round down.
const ROUNDS: usize = 3;
/// No limit in practice.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Writes the same number of documents in requests of each size, one request at a time.
pub async fn measure(server: &SearchServer, engine: Engine) -> Result<Vec<Row>> {
    println!("Writing {DOCUMENTS} documents in bulk requests of {SIZES:?}");
    let documents = (0..DOCUMENTS).map(document).collect::<Result<Vec<_>>>()?;
    let bytes: usize = documents.iter().map(|document| document.source().to_string().len()).sum();
    let settings = Settings::search(engine.analyzer().parse()?);
    let endpoint = server.endpoint();
    let client = client(&endpoint)?;
    // The first write warms the engine up.
    write(&endpoint, &client, &settings, &documents, 1_000).await?;
    let mut best = [f64::MAX; SIZES.len()];
    for _ in 0..ROUNDS {
        for (best, size) in best.iter_mut().zip(SIZES) {
            *best = best.min(write(&endpoint, &client, &settings, &documents, size).await?);
        }
    }
    let row = |(seconds, size): (f64, usize)| {
        object(json!({
            "row": format!("bulk requests of {size} documents"), "documents_per_second": DOCUMENTS as f64 / seconds,
            "ms_per_request": seconds * 1_000.0 * size as f64 / DOCUMENTS as f64, "bytes_of_documents": bytes * size / DOCUMENTS,
        }))
    };
    best.into_iter().zip(SIZES).map(row).collect()
}

/// Writes the documents into a new index. Returns the seconds.
async fn write(
    endpoint: &str,
    client: &Client,
    settings: &Settings,
    documents: &[Document],
    size: usize,
) -> Result<f64> {
    let index = Index::new(client.clone(), "bulk".to_owned());
    let index = index.with_bulk_limits(BulkLimits { bytes: MAX_BYTES, documents: size });
    index.create_first(settings).await?;
    let start = Instant::now();
    let outcomes = index.write(Target::Alias, documents).await?;
    let seconds = start.elapsed().as_secs_f64();
    ensure!(outcomes.iter().all(|outcome| *outcome == Outcome::Written), "a document was not written");
    delete(endpoint, "bulk-000001").await?;
    Ok(seconds)
}

fn document(number: usize) -> Result<Document> {
    let published_at = Timestamp::from_millisecond(titles::published_at(number)).context("no time")?;
    let story = Story {
        title: titles::title(number),
        author: titles::AUTHOR.to_owned(),
        published_at,
        visibility: Visibility::Public,
        tags: Vec::new(),
    };
    Ok(Document { vertex: titles::id(number), version: 1, content: Content::Story(story) })
}

/// A client with credentials that no engine checks.
fn client(endpoint: &str) -> Result<Client> {
    let credentials = Credentials::new("test", "test", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("ap-northeast-2"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    Ok(Client::new(&config, endpoint)?)
}
