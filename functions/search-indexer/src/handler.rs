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
    learn::{learn, read, reflect},
    offer::Offer,
    ports::{Documents, Rows, Side},
    rebuild::{Progress, rebuild},
};

/// What the handler uses.
pub struct Indexer<E, M, D> {
    /// What people find.
    pub found: Side<E, D>,
    /// What Neptune's own full-text queries find, if they are to work.
    pub mirror: Option<Side<M, D>>,
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
pub async fn handle<E: Rows<Entry>, M: Rows<Element>, D: Documents>(
    indexer: &Indexer<E, M, D>,
    event: LambdaEvent<Event>,
) -> Result<Answer, Failure> {
    let answer = match event.payload {
        Event::Batch(batch) => index(indexer, batch).await.map(Answer::Batch),
        Event::Order { rebuild } => {
            let left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
            make_anew(indexer, rebuild, Instant::now() + left).await.map(Answer::Progress)
        }
    };
    indexer.metrics.flush();
    answer
}

async fn make_anew<E: Rows<Entry>, M: Rows<Element>, D: Documents>(
    indexer: &Indexer<E, M, D>,
    order: Rebuild,
    deadline: Instant,
) -> Result<Progress, Failure> {
    let Indexer { found, mirror, metrics, .. } = indexer;
    if !order.mirror {
        return rebuild(&found.rows, &found.index, search::Document::of, metrics, order, deadline).await;
    }
    let Some(mirror) = mirror else { return Err(Failure::bug("rebuild the mirror", "this stack has none")) };
    let document = |_: &str, element: &Element| neptune_fts::Document::of(element);
    rebuild(&mirror.rows, &mirror.index, document, metrics, order, deadline).await
}

async fn index<E: Rows<Entry>, M: Rows<Element>, D: Documents>(
    indexer: &Indexer<E, M, D>,
    batch: SqsEvent,
) -> Result<SqsBatchResponse, Failure> {
    let Indexer { found, mirror, queue, metrics } = indexer;
    let offer = Offer::new(&found.index, metrics);
    let mirror = mirror.as_ref().map(|mirror| (mirror, Offer::new(&mirror.index, metrics)));
    batch::run_fifo(
        batch,
        queue,
        async |body| {
            let received = read(metrics, body)?;
            let learnt = learn(&found.rows, &received).await?;
            offer.add(&learnt);
            let Some((mirror, offer)) = &mirror else { return Ok((learnt, None)) };
            let reflected = reflect(&mirror.rows, metrics, &received).await?;
            offer.add(&reflected);
            Ok((learnt, Some(reflected)))
        },
        async |(learnt, reflected)| {
            // People come first: what the mirror refuses is found by them all the same.
            offer.settle(&learnt, Timestamp::now()).await?;
            match mirror.as_ref().zip(reflected) {
                Some(((_, offer), reflected)) => offer.settle(&reflected, Timestamp::now()).await,
                None => Ok(()),
            }
        },
    )
    .await
}
