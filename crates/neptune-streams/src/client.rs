use aws_sdk_neptunedata::{
    config::{Builder, SharedHttpClient},
    types::{Encoding, IteratorType},
};
use aws_types::SdkConfig;
use thiserror::Error;

use crate::{
    capture::Capture,
    error::{Error, Outcome},
    head,
    page::Page,
    position::{Position, Start},
    retry::NoRetryOnTimeOut,
};

/// The most records that one request may ask for. Neptune's own default is 10.
pub const MAX_LIMIT: u32 = 100_000;

/// A client for one cluster's stream, signed with SigV4. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Client {
    sdk: aws_sdk_neptunedata::Client,
    http_client: SharedHttpClient,
}

impl Client {
    /// A client for the cluster at `endpoint_url`, such as
    /// `https://my-cluster.cluster-abc.eu-central-1.neptune.amazonaws.com:8182`.
    ///
    /// Credentials, region, HTTP client, time-outs and retries are those of `config`. Set an
    /// operation attempt time-out there: it alone bounds how long a page may take to arrive.
    ///
    /// # Errors
    /// If `config` has no HTTP client of its own: the answers are read on the way through it.
    pub fn new(config: &SdkConfig, endpoint_url: impl Into<String>) -> Result<Self, MissingHttpClient> {
        let http_client = config.http_client().ok_or(MissingHttpClient)?;
        let config = Builder::from(config).endpoint_url(endpoint_url).retry_classifier(NoRetryOnTimeOut).build();
        Ok(Self { sdk: aws_sdk_neptunedata::Client::from_conf(config), http_client })
    }

    /// Reads one page of up to `limit` records (at most [`MAX_LIMIT`]) and about 10 MB.
    ///
    /// # Errors
    /// See [`enum@Error`]; never [`Error::Gap`] and [`Error::Reset`], which take memory of what was read
    /// before: see [`continuity`](crate::continuity), or use a [`StreamReader`](crate::StreamReader).
    pub async fn read(&self, start: Start, limit: u32) -> Result<Read, Error> {
        match self.page(start, limit).await {
            // Neptune never sends empty pages, but says 404.
            Ok(page) if page.records.is_empty() => Ok(Read::Idle { head: page.last_event_id }),
            Ok(page) => Ok(Read::Page(page)),
            Err(Outcome::NotFound(response)) => {
                Ok(Read::Idle { head: response.message.as_deref().and_then(head::from_text) })
            }
            Err(Outcome::Failed(error)) => Err(error),
        }
    }

    /// The position of the stream's last record, and with it the backlog, without reading records.
    ///
    /// Neptune names it in the text of the error that answers a request from the far future. That
    /// is not documented: `None` if it no longer does. A `read` of [`Start::Latest`] then tells the
    /// same, at the price of a record.
    ///
    /// # Errors
    /// As for [`Client::read`].
    pub async fn head(&self) -> Result<Option<Position>, Error> {
        const FUTURE: Position = Position::new(i64::MAX as u64, 1);
        match self.read(Start::AtSequenceNumber(FUTURE), 1).await? {
            // A text that only repeats the question says nothing.
            Read::Idle { head } => Ok(head.filter(|head| head.commit_num != FUTURE.commit_num)),
            Read::Page(_) => Ok(None),
        }
    }

    async fn page(&self, start: Start, limit: u32) -> Result<Page, Outcome> {
        let request = self.sdk.get_propertygraph_stream().limit(limit.into()).encoding(Encoding::Gzip);
        // Both numbers always: AFTER without opNum means operation 1, and repeats what follows it.
        let request = match start {
            Start::AtSequenceNumber(position) => request
                .iterator_type(IteratorType::AtSequenceNumber)
                .commit_num(saturated(position.commit_num))
                .op_num(saturated(position.op_num)),
            Start::AfterSequenceNumber(position) => request
                .iterator_type(IteratorType::AfterSequenceNumber)
                .commit_num(saturated(position.commit_num))
                .op_num(saturated(position.op_num)),
            Start::TrimHorizon => request.iterator_type(IteratorType::TrimHorizon),
            Start::Latest => request.iterator_type(IteratorType::Latest),
        };
        let capture = Capture::new(self.http_client.clone());
        let with_capture = aws_sdk_neptunedata::config::Config::builder().http_client(capture.clone());
        request.customize().config_override(with_capture).send().await?;
        Page::parse(&capture.take()).map_err(|invalid| Outcome::Failed(invalid.into()))
    }
}

/// The API takes signed numbers. Nothing is beyond the largest of them: the answer is the same.
fn saturated(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// What one request found.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Read {
    /// Records, at least one.
    Page(Page),
    /// Nothing there yet (a 404): the end of the stream is reached. A position that has been
    /// trimmed away has been seen to be answered so, too, where [`Error::Expired`] is documented.
    Idle {
        /// Where the stream ends, if Neptune says so.
        head: Option<Position>,
    },
}

/// The configuration has no HTTP client.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the SDK configuration has no HTTP client: set one, for instance with aws-smithy-http-client")]
pub struct MissingHttpClient;
