use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    control::{EndpointSnapshot, EventList, PhoneSnapshot, ReachabilityJson},
    fault::{Fault, FaultRequest, ActiveFault},
    record::{Notification, Profile, Reachability, UndisplayedMessage},
};

/// How often to look while pending for an outcome.
const PAUSE: Duration = Duration::from_millis(10);

/// Sets phones up, sees what they show, and orders what is to go wrong.
#[derive(Debug, Clone)]
pub struct Client {
    endpoint: String,
    http: reqwest::Client,
}

impl Client {
    /// Calls go to `endpoint`.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self { endpoint: endpoint.into(), http: reqwest::Client::new() }
    }

    /// Where SNS is services.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Sets up the phone with `token`, or sets it up anew.
    pub async fn register_phone(&self, token: &str, profile: &Profile) -> Result<PhoneSnapshot> {
        self.call(Method::PUT, &of(token, ""), Some(profile)).await
    }

    /// The phone with `token`.
    pub async fn phone(&self, token: &str) -> Result<PhoneSnapshot> {
        self.call(Method::GET, &of(token, ""), None::<&()>).await
    }

    /// All phones, by token.
    pub async fn phones(&self) -> Result<Vec<PhoneSnapshot>> {
        self.call(Method::GET, "", None::<&()>).await
    }

    /// Lets the phone be online, offline, stale or invalid. What has waited for it arrives when it
    /// is online again.
    pub async fn set_reachability(&self, token: &str, reach: Reachability) -> Result<PhoneSnapshot> {
        self.call(Method::PUT, &of(token, "/reach"), Some(&ReachabilityJson { reach })).await
    }

    /// Disables the endpoints of `token`, as SNS does when FCM calls it stale.
    pub async fn disable_endpoints(&self, token: &str) -> Result<Vec<EndpointSnapshot>> {
        self.call(Method::POST, &of(token, "/disable"), None::<&()>).await
    }

    /// All endpoints.
    pub async fn endpoints(&self) -> Result<Vec<EndpointSnapshot>> {
        self.call(Method::GET, "/endpoints", None::<&()>).await
    }

    /// The number of what happened last: what comes after it is new.
    pub async fn head(&self) -> Result<u64> {
        let happened: EventList<Notification> =
            self.call(Method::GET, &format!("/notifications?since={}", u64::MAX), None::<&()>).await?;
        Ok(happened.head)
    }

    /// Notifications that have come to phones after number `since`.
    pub async fn notifications(&self, since: u64) -> Result<Vec<Notification>> {
        let happened: EventList<_> =
            self.call(Method::GET, &format!("/notifications?since={since}"), None::<&()>).await?;
        Ok(happened.items)
    }

    /// What SNS took after number `since` and no phone shows.
    pub async fn undisplayed(&self, since: u64) -> Result<Vec<UndisplayedMessage>> {
        let happened: EventList<_> = self.call(Method::GET, &format!("/unshown?since={since}"), None::<&()>).await?;
        Ok(happened.items)
    }

    /// Waits until `outcome` finds in all notifications after `since` what it looks for, and gives
    /// that.
    ///
    /// # Errors
    /// After `patience`, with what has come instead.
    pub async fn wait_for<T>(
        &self,
        since: u64,
        patience: Duration,
        outcome: impl Fn(&[Notification]) -> Option<T>,
    ) -> Result<T> {
        let deadline = Instant::now() + patience;
        loop {
            let notifications = self.notifications(since).await?;
            if let Some(found) = outcome(&notifications) {
                return Ok(found);
            }
            if Instant::now() > deadline {
                let come: Vec<_> =
                    notifications.iter().map(|shown| format!("{}: {}", shown.phone, shown.notice.body)).collect();
                bail!("what was waited for has not come in {} s, but {come:?} has", patience.as_secs());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Waits for the first notification after `since` that is meant.
    pub async fn wait_for_one(
        &self,
        since: u64,
        patience: Duration,
        is_meant: impl Fn(&Notification) -> bool,
    ) -> Result<Notification> {
        self.wait_for(since, patience, |all| all.iter().find(|shown| is_meant(shown)).cloned()).await
    }

    /// Waits until `count` notifications have come after `since`, and gives all that have.
    pub async fn wait_for_count(&self, since: u64, patience: Duration, count: usize) -> Result<Vec<Notification>> {
        self.wait_for(since, patience, |all| (all.len() >= count).then(|| all.to_vec())).await
    }

    /// Orders a fault for so many calls, or until faults are cleared.
    pub async fn inject_fault(&self, fault: Fault, times: Option<NonZeroU32>) -> Result<()> {
        let _: Vec<ActiveFault> = self.call(Method::POST, "/faults", Some(&FaultRequest { fault, times })).await?;
        Ok(())
    }

    /// The faults and how often they have struck.
    pub async fn faults(&self) -> Result<Vec<ActiveFault>> {
        self.call(Method::GET, "/faults", None::<&()>).await
    }

    /// Ends all faults.
    pub async fn clear_faults(&self) -> Result<()> {
        let _: Vec<ActiveFault> = self.call(Method::DELETE, "/faults", None::<&()>).await?;
        Ok(())
    }

    /// Forgets phones, what they got, and faults. Applications and endpoints stay: a deployed stack
    /// has made them.
    pub async fn reset(&self) -> Result<()> {
        let _: Vec<PhoneSnapshot> = self.call(Method::DELETE, "", None::<&()>).await?;
        Ok(())
    }

    async fn call<T: DeserializeOwned>(&self, method: Method, path: &str, body: Option<&impl Serialize>) -> Result<T> {
        let mut request = self.http.request(method, format!("{}/_phones{path}", self.endpoint));
        if let Some(body) = body {
            request = request.body(serde_json::to_vec(body)?);
        }
        let answer = request.send().await.context("the stand-in for phones does not answer")?;
        let status = answer.status();
        let body = answer.bytes().await?;
        if !status.is_success() {
            bail!("the stand-in for phones answers {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(serde_json::from_slice(&body)?)
    }
}

fn of(token: &str, rest: &str) -> String {
    format!("/{}{rest}", utf8_percent_encode(token, NON_ALPHANUMERIC))
}
