//! How much one caller may ask of one execution environment.
//!
//! API Gateway's HTTP APIs throttle all clients together, not one by one. This keeps a client that
//! asks in a loop from using up what is there for all. Each environment counts alone: a caller who
//! asks in parallel, and so keeps several busy, has as many quotas. Nothing is stored, no request
//! waits for a count.

use std::num::NonZeroU32;

use api::ProblemType;
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::HashMapStateStore,
};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{
    config::{InvalidSetting, positive},
    http::problem,
    request::caller,
};

/// Callers to remember at most before those whose quota is whole again are forgotten.
const REMEMBERED: usize = 10_000;

/// The `RateLimit` fields of the IETF's draft-ietf-httpapi-ratelimit-headers (version 10).
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// What callers have left.
pub struct CallerQuota<C: Clock = DefaultClock> {
    callers: RateLimiter<String, HashMapStateStore<String>, C, StateInformationMiddleware>,
    burst: NonZeroU32,
    per_second: NonZeroU32,
}

impl CallerQuota {
    /// The quota that the template sets: `CALLER_BURST` requests at once, `CALLER_RATE` more each
    /// second.
    ///
    /// # Errors
    /// One of them is missing, or no number from 1.
    pub fn from_env() -> Result<Self, InvalidSetting> {
        Ok(Self::new(positive("CALLER_BURST")?, positive("CALLER_RATE")?, DefaultClock::default()))
    }
}

impl<C: Clock> CallerQuota<C> {
    /// `burst` requests at once, `per_second` more each second.
    pub fn new(burst: NonZeroU32, per_second: NonZeroU32, clock: C) -> Self {
        let quota = Quota::per_second(per_second).allow_burst(burst);
        Self { callers: RateLimiter::new(quota, HashMapStateStore::default(), clock), burst, per_second }
    }

    /// The answer to `request`: what `answer` comes to, or 429 where its caller has spent what they
    /// had; then `answer` is not begun. Both say what is left.
    pub async fn guard(
        &self,
        request: &ApiGatewayV2httpRequest,
        answer: impl Future<Output = ApiGatewayV2httpResponse>,
    ) -> ApiGatewayV2httpResponse {
        // Who is nobody is refused by the handler, at no cost; or asks for what is everybody's.
        let Ok(caller) = caller(request) else { return answer.await };
        if self.callers.len() > REMEMBERED {
            self.callers.retain_recent();
        }
        match self.callers.check_key(&caller.to_owned()) {
            Ok(state) => {
                let mut answer = answer.await;
                self.tell(&mut answer.headers, state.remaining_burst_capacity());
                answer
            }
            Err(spent) => {
                let wait = spent.wait_time_from(self.callers.clock().now()).as_secs_f64().ceil().max(1.0);
                let mut refusal = problem(&ProblemType::TooManyRequests.into());
                refusal.headers.insert(header::RETRY_AFTER, value(format!("{wait}")));
                self.tell(&mut refusal.headers, 0);
                refusal
            }
        }
    }

    fn tell(&self, headers: &mut HeaderMap, left: u32) {
        let whole_after = |missing: u32| missing.div_ceil(self.per_second.get());
        let (burst, missing) = (self.burst.get(), self.burst.get().saturating_sub(left));
        headers.insert(POLICY, value(format!("\"caller\";q={burst};w={}", whole_after(burst))));
        headers.insert(LEFT, value(format!("\"caller\";r={left};t={}", whole_after(missing))));
    }
}

fn value(text: String) -> HeaderValue {
    // Numbers and names of our own: they are always visible ASCII.
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("0"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;
    use serde_json::json;

    use super::*;
    use crate::http::no_content;

    fn quota(clock: FakeRelativeClock) -> CallerQuota<FakeRelativeClock> {
        CallerQuota::new(NonZeroU32::new(4).unwrap(), NonZeroU32::new(2).unwrap(), clock)
    }

    /// Status, policy, what is left, and when to come again.
    async fn ask(quota: &CallerQuota<FakeRelativeClock>, caller: &str) -> (i64, String, String, String) {
        let request = json!({
            "version": "2.0", "routeKey": "GET /v1/x", "rawPath": "/", "rawQueryString": "", "headers": {},
            "isBase64Encoded": false,
            "requestContext": {"http": {"method": "GET"}, "authorizer": {"jwt": {"claims": {"sub": caller}, "scopes": []}}}
        });
        let request = serde_json::from_value(request).unwrap();
        let answer = quota.guard(&request, async { no_content() }).await;
        let header =
            |name: &str| answer.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        (answer.status_code, header("ratelimit-policy"), header("ratelimit"), header("retry-after"))
    }

    #[tokio::test]
    async fn who_has_spent_it_waits_and_nobody_else() {
        let clock = FakeRelativeClock::default();
        let quota = quota(clock.clone());
        for left in ["\"caller\";r=3;t=1", "\"caller\";r=2;t=1", "\"caller\";r=1;t=2", "\"caller\";r=0;t=2"] {
            assert_eq!(ask(&quota, "mina").await, (204, "\"caller\";q=4;w=2".into(), left.into(), String::new()));
        }
        let refused = (429, "\"caller\";q=4;w=2".into(), "\"caller\";r=0;t=2".into(), "1".into());
        assert_eq!(ask(&quota, "mina").await, refused);
        assert_eq!(ask(&quota, "jun").await.0, 204);
        clock.advance(Duration::from_millis(499));
        assert_eq!(ask(&quota, "mina").await.0, 429);
        clock.advance(Duration::from_millis(1));
        assert_eq!(ask(&quota, "mina").await.0, 204);
        assert_eq!(ask(&quota, "mina").await.0, 429);
    }

    #[tokio::test]
    async fn nobody_has_no_quota() {
        let quota = quota(FakeRelativeClock::default());
        for _ in 0..10 {
            assert_eq!(ask(&quota, "").await, (204, String::new(), String::new(), String::new()));
        }
        assert_eq!(quota.callers.len(), 0);
    }

    #[tokio::test]
    async fn who_is_whole_again_is_forgotten() {
        let clock = FakeRelativeClock::default();
        let quota = quota(clock.clone());
        for number in 0..=REMEMBERED {
            ask(&quota, &number.to_string()).await;
        }
        assert_eq!(quota.callers.len(), REMEMBERED + 1);
        clock.advance(Duration::from_secs(2));
        ask(&quota, "mina").await;
        assert_eq!(quota.callers.len(), 1);
    }
}
