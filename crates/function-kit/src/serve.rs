//! A function behind the REST API: a request, its answer, and what both are counted as.

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use tracing::Instrument;

use crate::{logs, metrics::Metrics, quota::CallerQuota};

/// Answers one request after another with what `answer` comes to, within the caller's quota, until
/// Lambda ends the process. Counts `Answers` by `Status`.
///
/// # Errors
/// If the quota is not set, or Lambda's Runtime API does not answer.
pub async fn serve(answer: impl AsyncFn(&ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse) -> Result<(), Error> {
    let quota = CallerQuota::from_env()?;
    let metrics = Metrics::from_env();
    lambda_runtime::run(service_fn(async |event: LambdaEvent<ApiGatewayV2httpRequest>| {
        let request = &event.payload;
        // In a box: futures in futures are too deep for the compiler otherwise.
        let answer = quota.guard(request, Box::pin(answer(request))).instrument(logs::request(request)).await;
        metrics.count_kind("Answers", ("Status", class(answer.status_code)), 1);
        metrics.flush();
        Ok::<_, Error>(answer)
    }))
    .await
}

/// What a status counts as. 429 stands alone: it says more of our bounds than of the client.
fn class(status: i64) -> &'static str {
    match status {
        429 => "429",
        ..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500.. => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_class() {
        let classes = [200, 204, 304, 400, 404, 428, 429, 430, 499, 500, 503].map(class);
        assert_eq!(classes, ["2xx", "2xx", "3xx", "4xx", "4xx", "4xx", "429", "4xx", "4xx", "5xx", "5xx"]);
    }
}
