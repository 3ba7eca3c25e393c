use std::time::{Instant, SystemTime};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use domain::{
    neptune_fts::{self, Element},
    search::{self, Entry},
};
use function_kit::{
    batch::{self, Queue},
    failure::Failure,
    metrics::Metrics,
};
use jiff::Timestamp;
use lambda_runtime::LambdaEvent;
use serde::Serialize;

use crate::{
    event::{Event, Rebuild},
    index::BulkWrite,
    ports::{DocumentIndex, Follows, Pipeline, Table},
    project::{parse, project_follows, project_mirror, project_search},
    rebuild::{Progress, rebuild},
};

/// Pipelines, queue and metrics.
pub struct Indexer<S, M, I, F> {
    pub search: Pipeline<S, I>,
    pub follows: F,
    /// For Neptune's full-text queries, if they are enabled.
    pub mirror: Option<Pipeline<M, I>>,
    pub queue: Queue,
    pub metrics: Metrics,
}

/// Response of an invocation.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Response {
    /// To the queue.
    Batch(SqsBatchResponse),
    /// To an operator.
    Progress(Progress),
}

/// Processes a batch or an operator's command, and flushes the metrics.
///
/// # Errors
/// If a rebuild fails, or a message of the batch has no id.
pub async fn handle<S: Table<Entry>, M: Table<Element>, I: DocumentIndex, F: Follows>(
    indexer: &Indexer<S, M, I, F>,
    event: LambdaEvent<Event>,
) -> Result<Response, Failure> {
    let response = match event.payload {
        Event::Batch(batch) => index_batch(indexer, batch).await.map(Response::Batch),
        Event::Command { rebuild } => {
            let remaining = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
            // Boxed, because the compiler limits the depth of nested futures.
            Box::pin(run_rebuild(indexer, rebuild, Instant::now() + remaining)).await.map(Response::Progress)
        }
    };
    indexer.metrics.flush();
    response
}

async fn run_rebuild<S: Table<Entry>, M: Table<Element>, I: DocumentIndex, F: Follows>(
    indexer: &Indexer<S, M, I, F>,
    command: Rebuild,
    deadline: Instant,
) -> Result<Progress, Failure> {
    let Indexer { search, mirror, metrics, .. } = indexer;
    if !command.mirror {
        return rebuild(&search.table, &search.index, search::Document::of, metrics, command, deadline).await;
    }
    let Some(mirror) = mirror else { return Err(Failure::bug("rebuild the mirror", "this stack has no mirror")) };
    let document = |_: &str, element: &Element| neptune_fts::Document::of(element);
    rebuild(&mirror.table, &mirror.index, document, metrics, command, deadline).await
}

async fn index_batch<S: Table<Entry>, M: Table<Element>, I: DocumentIndex, F: Follows>(
    indexer: &Indexer<S, M, I, F>,
    batch: SqsEvent,
) -> Result<SqsBatchResponse, Failure> {
    let Indexer { search, follows, mirror, queue, metrics } = indexer;
    let search_write = BulkWrite::new(&search.index, metrics);
    let mirror = mirror.as_ref().map(|mirror| (mirror, BulkWrite::new(&mirror.index, metrics)));
    batch::run_fifo(
        batch,
        queue,
        async |body| {
            let received = parse(metrics, body)?;
            // Before the story can be found.
            project_follows(follows, &received).await?;
            let change = project_search(&search.table, &received).await?;
            search_write.add(&change);
            let Some((mirror, mirror_write)) = &mirror else { return Ok((change, None)) };
            let mirrored = project_mirror(&mirror.table, metrics, &received).await?;
            mirror_write.add(&mirrored);
            Ok((change, Some(mirrored)))
        },
        async |(change, mirrored)| {
            // The search index first, so that a rejection by the mirror does not affect it.
            search_write.result(&change, Timestamp::now()).await?;
            match mirror.as_ref().zip(mirrored) {
                Some(((_, mirror_write), mirrored)) => mirror_write.result(&mirrored, Timestamp::now()).await,
                None => Ok(()),
            }
        },
    )
    .await
}
