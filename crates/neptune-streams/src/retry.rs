//! What the SDK must not retry.

use aws_sdk_neptunedata::operation::get_propertygraph_stream::GetPropertygraphStreamError;
use aws_smithy_runtime_api::client::{
    interceptors::context::InterceptorContext,
    retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority},
};

/// Hands time-outs to the caller at once: the same page would take as long again, a smaller one is
/// what helps.
#[derive(Debug)]
pub(crate) struct NoRetryOnTimeOut;

impl ClassifyRetry for NoRetryOnTimeOut {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else { return RetryAction::NoActionIndicated };
        let modelled = error.as_operation_error().and_then(|error| error.downcast_ref::<GetPropertygraphStreamError>());
        let is_time_out =
            error.is_timeout_error() || modelled.is_some_and(GetPropertygraphStreamError::is_client_timeout_exception);
        if is_time_out { RetryAction::RetryForbidden } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "no retry on time-out"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::modeled_as_retryable_classifier())
    }
}
