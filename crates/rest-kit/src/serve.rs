//! The serving loop of a function behind the REST API.

use std::{num::NonZeroU32, time::SystemTime};

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use function_kit::{failure::Failure, metrics::Metrics};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Serialize;
use serde_json::Value;
use tracing::{Instrument, Span, error_span};

use crate::rate_limit::CallerLimit;

/// The header with the X-Ray trace that API Gateway adds to a request.
const TRACE_HEADER: &str = "x-amzn-trace-id";

/// Handles requests with `handle`, within the rate limits of their callers, until Lambda ends the process. Each request costs
/// 1. Counts `Answers` by `Status`.
///
/// # Errors
/// If the settings of the limit are missing, or Lambda's Runtime API fails.
pub async fn serve(handle: impl AsyncFn(&ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse) -> anyhow::Result<()> {
    serve_by_cost(|_| NonZeroU32::MIN, handle).await
}

/// As [`serve`]. A request costs what `cost` says, see [`rate_limit::cost`](crate::rate_limit::cost).
///
/// # Errors
/// As [`serve`].
pub async fn serve_by_cost(
    cost: fn(&ApiGatewayV2httpRequest) -> NonZeroU32,
    handle: impl AsyncFn(&ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse,
) -> anyhow::Result<()> {
    let server = Server { limit: CallerLimit::from_env()?, cost, metrics: Metrics::from_env(), handle };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<ApiGatewayV2httpRequest>| {
        Ok::<_, Error>(server.respond(&event.payload).await)
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}

/// As [`serve`]. Runs `job` for events that are no requests, such as a schedule's, until the deadline of the invocation.
///
/// # Errors
/// As [`serve`]. A failed job fails the invocation.
pub async fn serve_with_job<T: Serialize>(
    handle: impl AsyncFn(&ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse,
    job: impl AsyncFn(Value, SystemTime) -> Result<T, Failure>,
) -> anyhow::Result<()> {
    serve_by_cost_with_job(|_| NonZeroU32::MIN, handle, job).await
}

/// As [`serve_with_job`]. A request costs what `cost` says, see [`rate_limit::cost`](crate::rate_limit::cost).
///
/// # Errors
/// As [`serve_with_job`].
pub async fn serve_by_cost_with_job<T: Serialize>(
    cost: fn(&ApiGatewayV2httpRequest) -> NonZeroU32,
    handle: impl AsyncFn(&ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse,
    job: impl AsyncFn(Value, SystemTime) -> Result<T, Failure>,
) -> anyhow::Result<()> {
    let server = Server { limit: CallerLimit::from_env()?, cost, metrics: Metrics::from_env(), handle };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        let LambdaEvent { payload, context } = event;
        if payload.get("requestContext").is_some() {
            let request = serde_json::from_value(payload)?;
            return Ok::<_, Error>(serde_json::to_value(server.respond(&request).await)?);
        }
        Ok(serde_json::to_value(Box::pin(job(payload, context.deadline())).await?)?)
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}

struct Server<H> {
    limit: CallerLimit,
    cost: fn(&ApiGatewayV2httpRequest) -> NonZeroU32,
    metrics: Metrics,
    handle: H,
}

impl<H: AsyncFn(&ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse> Server<H> {
    async fn respond(&self, request: &ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse {
        // Boxed, because the compiler limits how deep futures nest.
        let handling = Box::pin((self.handle)(request));
        let response =
            self.limit.guard(request, (self.cost)(request), handling).instrument(request_span(request)).await;
        self.metrics.count_kind("Answers", ("Status", class(response.status_code)), 1);
        self.metrics.flush();
        response
    }
}

/// The span of a request: the id that API Gateway gave it, and its trace.
fn request_span(request: &ApiGatewayV2httpRequest) -> Span {
    let trace = request.headers.get(TRACE_HEADER).and_then(|trace| trace.to_str().ok());
    // At the highest level, because a filtered span would remove its fields from all lines.
    error_span!("request", api_request_id = request.request_context.request_id, trace)
}

/// The class of a status in metrics. 429 has its own, because it depends on our limits more than on the client.
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
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
    };

    use serde_json::{Value, json};
    use tracing::warn;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("a lock").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_status_has_its_class() {
        let classes = [200, 204, 304, 400, 404, 428, 429, 430, 499, 500, 503].map(class);
        assert_eq!(classes, ["2xx", "2xx", "3xx", "4xx", "4xx", "4xx", "429", "4xx", "4xx", "5xx", "5xx"]);
    }

    #[test]
    fn line_within_a_request_has_its_id_and_trace_and_nothing_of_its_content() {
        let request = json!({
            "version": "2.0", "routeKey": "GET /v1/media", "rawPath": "/v1/media", "rawQueryString": "owner=mina",
            "headers": {"x-amzn-trace-id": "Root=1-1", "authorization": "Bearer secret"}, "isBase64Encoded": false,
            "requestContext": {"requestId": "r-1", "http": {"method": "GET"}}
        });
        let request = serde_json::from_value(request).expect("a request");
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || request_span(&request).in_scope(|| warn!("again")));
        let line: Value = serde_json::from_slice(&log.0.lock().expect("a lock")).expect("a line of JSON");
        assert_eq!(line["spans"], json!([{"name": "request", "api_request_id": "r-1", "trace": "Root=1-1"}]));
    }
}
