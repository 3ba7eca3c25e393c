use std::time::{Instant, SystemTime};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use function_kit::{
    batch::{self, Queue},
    failure::Failure,
    metrics::Metrics,
};
use jiff::Timestamp;
use lambda_runtime::LambdaEvent;
use serde::Serialize;

use crate::{
    event::Event,
    learn::learn,
    offer::Offer,
    ports::{Documents, Entries},
    rebuild::{self, Progress},
};

/// What the handler uses.
pub struct Indexer<E, D> {
    pub entries: E,
    pub index: D,
    pub queue: Queue,
    pub metrics: Metrics,
}

/// What an invocation answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To the queue: which messages come again.
    Batch(SqsBatchResponse),
    /// To an operator.
    Progress(Progress),
}

/// Does what the event says, and writes what was measured.
///
/// # Errors
/// If an order cannot be worked on now, or a batch cannot be reported on.
pub async fn handle<E: Entries, D: Documents>(
    indexer: &Indexer<E, D>,
    event: LambdaEvent<Event>,
) -> Result<Answer, Failure> {
    let answer = match event.payload {
        Event::Batch(batch) => index(indexer, batch).await.map(Answer::Batch),
        Event::Order { rebuild } => {
            let left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
            let deadline = Instant::now() + left;
            let Indexer { entries, index, metrics, .. } = indexer;
            rebuild::rebuild(entries, index, metrics, rebuild, deadline).await.map(Answer::Progress)
        }
    };
    indexer.metrics.flush();
    answer
}

async fn index<E: Entries, D: Documents>(
    indexer: &Indexer<E, D>,
    batch: SqsEvent,
) -> Result<SqsBatchResponse, Failure> {
    let Indexer { entries, index, queue, metrics } = indexer;
    let offer = Offer::new(index, metrics);
    batch::run_fifo(
        batch,
        queue,
        async |body| {
            let learnt = learn(entries, metrics, body).await?;
            offer.add(&learnt);
            Ok(learnt)
        },
        async |learnt| offer.settle(&learnt, Timestamp::now()).await,
    )
    .await
}
