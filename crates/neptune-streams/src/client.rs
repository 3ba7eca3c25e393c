use aws_sdk_neptunedata::{
    config::{Builder, SharedHttpClient},
    types::{Encoding, IteratorType},
};
use aws_types::SdkConfig;
use domain::graph::Position;
use thiserror::Error;

use crate::{
    capture::BodyCapture,
    error::{Error, RequestError},
    head,
    page::Page,
    retry::NoRetryOnTimeout,
    start::Start,
};

/// A client for one cluster's stream. It signs requests with SigV4. Clones share connections.
#[derive(Debug, Clone)]
pub struct Client {
    sdk: aws_sdk_neptunedata::Client,
    http_client: SharedHttpClient,
}

impl Client {
    /// A client for the cluster at `endpoint_url`, such as
    /// `https://my-cluster.cluster-abc.eu-central-1.neptune.amazonaws.com:8182`.
    ///
    /// Credentials, region, HTTP client, timeouts and retries are those of `config`. Set an operation
    /// attempt timeout: nothing else limits the time of a request.
    ///
    /// # Errors
    /// If `config` has no HTTP client. The client wraps it to capture response bodies.
    pub fn new(config: &SdkConfig, endpoint_url: impl Into<String>) -> Result<Self, MissingHttpClient> {
        let http_client = config.http_client().ok_or(MissingHttpClient)?;
        let config = Builder::from(config).endpoint_url(endpoint_url).retry_classifier(NoRetryOnTimeout).build();
        Ok(Self { sdk: aws_sdk_neptunedata::Client::from_conf(config), http_client })
    }

    /// Reads one page of up to `limit` records (at most [`MAX_LIMIT`](crate::MAX_LIMIT)) and about 10 MB.
    ///
    /// # Errors
    /// See [`enum@Error`], except [`Error::Gap`] and [`Error::Reset`]. These depend on earlier reads: see
    /// [`continuity`](crate::continuity), or use a [`StreamReader`](crate::StreamReader).
    pub async fn read(&self, start: Start, limit: u32) -> Result<Read, Error> {
        match self.page(start, limit).await {
            // Neptune sends a 404 instead of an empty page. Another server may not.
            Ok(page) if page.records.is_empty() => Ok(Read::Idle { head: page.last_event_id }),
            Ok(page) => Ok(Read::Page(page)),
            Err(RequestError::NotFound(response)) => {
                Ok(Read::Idle { head: response.message.as_deref().and_then(head::from_message) })
            }
            Err(RequestError::Failed(error)) => Err(error),
        }
    }

    /// The position of the stream's last record, without reading records.
    ///
    /// Neptune names this position in its error message for a start position beyond the end. The message
    /// is not documented: the result is `None` if it changes. `read` from [`Start::Latest`] then returns
    /// the last record instead.
    ///
    /// # Errors
    /// As for [`Client::read`].
    pub async fn head(&self) -> Result<Option<Position>, Error> {
        const FUTURE: Position = Position::new(i64::MAX as u64, 1);
        match self.read(Start::AtSequenceNumber(FUTURE), 1).await? {
            // The message may contain only the requested position.
            Read::Idle { head } => Ok(head.filter(|head| head.commit_num != FUTURE.commit_num)),
            Read::Page(_) => Ok(None),
        }
    }

    async fn page(&self, start: Start, limit: u32) -> Result<Page, RequestError> {
        let request = self.sdk.get_propertygraph_stream().limit(limit.into()).encoding(Encoding::Gzip);
        // Always both numbers: without opNum, AFTER means after operation 1 and repeats later records.
        let request = match start {
            Start::AtSequenceNumber(position) => request
                .iterator_type(IteratorType::AtSequenceNumber)
                .commit_num(saturating_i64(position.commit_num))
                .op_num(saturating_i64(position.op_num)),
            Start::AfterSequenceNumber(position) => request
                .iterator_type(IteratorType::AfterSequenceNumber)
                .commit_num(saturating_i64(position.commit_num))
                .op_num(saturating_i64(position.op_num)),
            Start::TrimHorizon => request.iterator_type(IteratorType::TrimHorizon),
            Start::Latest => request.iterator_type(IteratorType::Latest),
        };
        let capture = BodyCapture::new(self.http_client.clone());
        let with_capture = aws_sdk_neptunedata::config::Config::builder().http_client(capture.clone());
        request.customize().config_override(with_capture).send().await?;
        Page::parse(&capture.take()).map_err(|invalid| RequestError::Failed(invalid.into()))
    }
}

/// The API takes signed numbers. No record is beyond the largest one, so the response is the same.
fn saturating_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The result of one request.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Read {
    /// At least one record.
    Page(Page),
    /// No record yet (a 404): the end of the stream. Neptune has also sent this for an expired position,
    /// for which it documents [`Error::Expired`].
    Idle {
        /// The stream's last position, if the response names it.
        head: Option<Position>,
    },
}

/// The configuration has no HTTP client.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the SDK configuration has no HTTP client: set one, for instance with aws-smithy-http-client")]
pub struct MissingHttpClient;
