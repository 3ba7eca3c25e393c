//! The rate limit of one caller in one execution environment.
//!
//! API Gateway's HTTP APIs throttle all clients together. This limit stops a client in a loop from using up the capacity of
//! all. Each execution environment counts in its own memory, so parallel requests of a caller may have several limits.
//! A request costs by the number of items that it may return ([`cost`]).

use std::num::NonZeroU32;

use api::ProblemType;
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use function_kit::config::{self, InvalidSettings};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::HashMapStateStore,
};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Deserialize;
use serde_with::{As, DisplayFromStr};

use crate::{request::caller, response::problem};

/// Number of items that one request may return at the cost of 1.
const ITEMS_PER_UNIT: usize = 20;

/// The cost of a request that may return `items`: 1 per 20 items, and at least 1.
pub fn cost(items: usize) -> NonZeroU32 {
    let units = u32::try_from(items.div_ceil(ITEMS_PER_UNIT)).unwrap_or(u32::MAX);
    NonZeroU32::new(units).unwrap_or(NonZeroU32::MIN)
}

/// The number of callers in memory above which callers with a full burst are evicted.
const MAX_CALLERS: usize = 10_000;

/// The `RateLimit` fields of the IETF's draft-ietf-httpapi-ratelimit-headers (version 10).
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit");

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
struct Config {
    #[serde(with = "As::<DisplayFromStr>")]
    caller_burst: NonZeroU32,
    #[serde(with = "As::<DisplayFromStr>")]
    caller_rate: NonZeroU32,
}

/// What each caller has left.
pub struct CallerLimit<C: Clock = DefaultClock> {
    callers: RateLimiter<String, HashMapStateStore<String>, C, StateInformationMiddleware>,
    burst: NonZeroU32,
    per_second: NonZeroU32,
}

impl CallerLimit {
    /// The limit of the settings: a burst of `CALLER_BURST` units, and `CALLER_RATE` per second.
    ///
    /// # Errors
    /// If a setting is missing or not a positive number.
    pub fn from_env() -> Result<Self, InvalidSettings> {
        let Config { caller_burst, caller_rate } = config::from_env()?;
        Ok(Self::new(caller_burst, caller_rate, DefaultClock::default()))
    }
}

impl<C: Clock> CallerLimit<C> {
    /// `burst` units at once, refilled at `per_second`.
    pub fn new(burst: NonZeroU32, per_second: NonZeroU32, clock: C) -> Self {
        let quota = Quota::per_second(per_second).allow_burst(burst);
        Self { callers: RateLimiter::new(quota, HashMapStateStore::default(), clock), burst, per_second }
    }

    /// Awaits `response`, or returns 429 without starting it if the caller of `request` has less than `cost` left. Both have
    /// the `RateLimit` headers.
    pub async fn guard(
        &self,
        request: &ApiGatewayV2httpRequest,
        cost: NonZeroU32,
        response: impl Future<Output = ApiGatewayV2httpResponse>,
    ) -> ApiGatewayV2httpResponse {
        // A request without a caller is rejected by the handler, or is for a public resource.
        let Ok(caller) = caller(request) else { return response.await };
        if self.callers.len() > MAX_CALLERS {
            self.callers.retain_recent();
        }
        let caller = caller.to_owned();
        // A cost above the burst could never be paid.
        let checked = self.callers.check_key_n(&caller, cost.min(self.burst));
        match checked.unwrap_or_else(|_| self.callers.check_key(&caller)) {
            Ok(state) => {
                let mut response = response.await;
                self.add_headers(&mut response.headers, state.remaining_burst_capacity());
                response
            }
            Err(exceeded) => {
                let wait = exceeded.wait_time_from(self.callers.clock().now()).as_secs_f64().ceil().max(1.0);
                let mut response = problem(&ProblemType::TooManyRequests.into());
                response.headers.insert(header::RETRY_AFTER, value(format!("{wait}")));
                self.add_headers(&mut response.headers, 0);
                response
            }
        }
    }

    fn add_headers(&self, headers: &mut HeaderMap, remaining: u32) {
        let seconds_to_refill = |missing: u32| missing.div_ceil(self.per_second.get());
        let (burst, missing) = (self.burst.get(), self.burst.get().saturating_sub(remaining));
        headers.insert(POLICY, value(format!("\"caller\";q={burst};w={}", seconds_to_refill(burst))));
        headers.insert(REMAINING, value(format!("\"caller\";r={remaining};t={}", seconds_to_refill(missing))));
    }
}

fn value(text: String) -> HeaderValue {
    // Only numbers and constants: always visible ASCII.
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("0"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;
    use serde_json::json;

    use super::*;
    use crate::response::no_content;

    fn limit(clock: FakeRelativeClock) -> CallerLimit<FakeRelativeClock> {
        CallerLimit::new(NonZeroU32::new(4).unwrap(), NonZeroU32::new(2).unwrap(), clock)
    }

    /// Status, `RateLimit-Policy`, `RateLimit` and `Retry-After` of a response.
    async fn request(limit: &CallerLimit<FakeRelativeClock>, caller: &str) -> (i64, String, String, String) {
        request_that_costs(limit, caller, NonZeroU32::MIN).await
    }

    async fn request_that_costs(
        limit: &CallerLimit<FakeRelativeClock>,
        caller: &str,
        cost: NonZeroU32,
    ) -> (i64, String, String, String) {
        let request = json!({
            "version": "2.0", "routeKey": "GET /v1/x", "rawPath": "/", "rawQueryString": "", "headers": {},
            "isBase64Encoded": false,
            "requestContext": {"http": {"method": "GET"}, "authorizer": {"jwt": {"claims": {"sub": caller}, "scopes": []}}}
        });
        let request = serde_json::from_value(request).unwrap();
        let response = limit.guard(&request, cost, async { no_content() }).await;
        let header =
            |name: &str| response.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        (response.status_code, header("ratelimit-policy"), header("ratelimit"), header("retry-after"))
    }

    #[tokio::test]
    async fn exhausted_limit_returns_429_to_its_caller_only() {
        let clock = FakeRelativeClock::default();
        let limit = limit(clock.clone());
        for remaining in ["\"caller\";r=3;t=1", "\"caller\";r=2;t=1", "\"caller\";r=1;t=2", "\"caller\";r=0;t=2"] {
            assert_eq!(
                request(&limit, "mina").await,
                (204, "\"caller\";q=4;w=2".into(), remaining.into(), String::new())
            );
        }
        let exceeded = (429, "\"caller\";q=4;w=2".into(), "\"caller\";r=0;t=2".into(), "1".into());
        assert_eq!(request(&limit, "mina").await, exceeded);
        assert_eq!(request(&limit, "jun").await.0, 204);
        clock.advance(Duration::from_millis(499));
        assert_eq!(request(&limit, "mina").await.0, 429);
        clock.advance(Duration::from_millis(1));
        assert_eq!(request(&limit, "mina").await.0, 204);
        assert_eq!(request(&limit, "mina").await.0, 429);
    }

    #[tokio::test]
    async fn request_for_many_items_costs_more_and_at_most_the_burst() {
        assert_eq!([0, 1, 20, 21, 100].map(|items| cost(items).get()), [1, 1, 1, 2, 5]);
        let clock = FakeRelativeClock::default();
        let limit = limit(clock.clone());
        assert_eq!(request_that_costs(&limit, "mina", cost(60)).await.2, "\"caller\";r=1;t=2");
        let exceeded = request_that_costs(&limit, "mina", cost(40)).await;
        assert_eq!((exceeded.0, exceeded.3.as_str()), (429, "1"), "a refused request costs nothing");
        assert_eq!(request(&limit, "mina").await.0, 204);
        assert_eq!(request_that_costs(&limit, "jun", cost(100)).await.2, "\"caller\";r=0;t=2");
        clock.advance(Duration::from_secs(2));
        assert_eq!(request_that_costs(&limit, "jun", cost(100)).await.0, 204);
    }

    #[tokio::test]
    async fn request_without_caller_has_no_limit() {
        let limit = limit(FakeRelativeClock::default());
        for _ in 0..10 {
            assert_eq!(request(&limit, "").await, (204, String::new(), String::new(), String::new()));
        }
        assert_eq!(limit.callers.len(), 0);
    }

    #[tokio::test]
    async fn caller_with_full_burst_is_evicted() {
        let clock = FakeRelativeClock::default();
        let limit = limit(clock.clone());
        for number in 0..=MAX_CALLERS {
            request(&limit, &number.to_string()).await;
        }
        assert_eq!(limit.callers.len(), MAX_CALLERS + 1);
        clock.advance(Duration::from_secs(2));
        request(&limit, "mina").await;
        assert_eq!(limit.callers.len(), 1);
    }
}
