//! Keeps the SDK from retrying timeouts.

use aws_sdk_neptunedata::operation::get_propertygraph_stream::GetPropertygraphStreamError;
use aws_smithy_runtime_api::client::{
    interceptors::context::InterceptorContext,
    retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority},
};

/// Returns timeouts to the caller at once. The same request would time out again; a smaller limit helps.
#[derive(Debug)]
pub(crate) struct NoRetryOnTimeout;

impl ClassifyRetry for NoRetryOnTimeout {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else { return RetryAction::NoActionIndicated };
        let modelled = error.as_operation_error().and_then(|error| error.downcast_ref::<GetPropertygraphStreamError>());
        let is_timeout =
            error.is_timeout_error() || modelled.is_some_and(GetPropertygraphStreamError::is_client_timeout_exception);
        if is_timeout { RetryAction::RetryForbidden } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "no retry on timeout"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::modeled_as_retryable_classifier())
    }
}
