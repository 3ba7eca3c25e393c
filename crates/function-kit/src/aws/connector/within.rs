//! Limits in time.

use std::{
    error::Error,
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use tower_service::Service;

/// What went wrong, of any kind.
pub type AnyError = Box<dyn Error + Send + Sync>;

type AnyFuture<T> = Pin<Box<dyn Future<Output = Result<T, AnyError>> + Send>>;

/// A way to connect that gives up after a while.
#[derive(Debug, Clone)]
pub struct Within<C> {
    pub inner: C,
    pub limit: Option<Duration>,
}

/// It took too long.
#[derive(Debug, Clone, Copy)]
pub struct TimedOut(Duration);

impl fmt::Display for TimedOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "nothing within {:?}", self.0)
    }
}

impl Error for TimedOut {}

impl<C> Service<Uri> for Within<C>
where
    C: Service<Uri, Response: 'static, Error: Into<AnyError> + 'static, Future: Send + 'static>,
{
    type Response = C::Response;
    type Error = AnyError;
    type Future = AnyFuture<C::Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), AnyError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(limited(self.inner.call(uri), self.limit))
    }
}

/// The same, or [`TimedOut`].
pub async fn limited<T, E: Into<AnyError>>(
    future: impl Future<Output = Result<T, E>>,
    limit: Option<Duration>,
) -> Result<T, AnyError> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, future).await.map_err(|_| TimedOut(limit))?.map_err(Into::into),
        None => future.await.map_err(Into::into),
    }
}
