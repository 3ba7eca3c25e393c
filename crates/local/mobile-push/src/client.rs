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
    fault::{ActiveFault, Fault, FaultRequest},
    record::{Notification, Profile, Reachability, UndisplayedMessage},
};

/// The shortest and the longest pause between two polls; an eighth of the wait so far.
const PAUSES: [Duration; 2] = [Duration::from_millis(10), Duration::from_millis(500)];

/// A client of a running emulator: registers phones, reads their notifications, injects faults.
#[derive(Debug, Clone)]
pub struct Client {
    endpoint: String,
    http: reqwest::Client,
}

impl Client {
    /// A client of the emulator at `endpoint`.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self { endpoint: endpoint.into(), http: reqwest::Client::new() }
    }

    /// The emulator's base URL, which is also its SNS endpoint.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Registers a phone with `token`, or changes its profile.
    pub async fn register_phone(&self, token: &str, profile: &Profile) -> Result<PhoneSnapshot> {
        self.call(Method::PUT, &path_of(token, ""), Some(profile)).await
    }

    /// The phone with `token`.
    pub async fn phone(&self, token: &str) -> Result<PhoneSnapshot> {
        self.call(Method::GET, &path_of(token, ""), None::<&()>).await
    }

    /// All phones, sorted by token.
    pub async fn phones(&self) -> Result<Vec<PhoneSnapshot>> {
        self.call(Method::GET, "", None::<&()>).await
    }

    /// Changes the reachability of a phone. Pending messages are delivered when it is online again.
    pub async fn set_reachability(&self, token: &str, reach: Reachability) -> Result<PhoneSnapshot> {
        self.call(Method::PUT, &path_of(token, "/reach"), Some(&ReachabilityJson { reach })).await
    }

    /// Disables the endpoints of `token`, as SNS does when FCM reports it as unregistered.
    pub async fn disable_endpoints(&self, token: &str) -> Result<Vec<EndpointSnapshot>> {
        self.call(Method::POST, &path_of(token, "/disable"), None::<&()>).await
    }

    /// All endpoints.
    pub async fn endpoints(&self) -> Result<Vec<EndpointSnapshot>> {
        self.call(Method::GET, "/endpoints", None::<&()>).await
    }

    /// The sequence number of the latest event.
    pub async fn head(&self) -> Result<u64> {
        let list: EventList<Notification> =
            self.call(Method::GET, &format!("/notifications?since={}", u64::MAX), None::<&()>).await?;
        Ok(list.head)
    }

    /// Notifications that phones received after sequence number `since`.
    pub async fn notifications(&self, since: u64) -> Result<Vec<Notification>> {
        let list: EventList<_> = self.call(Method::GET, &format!("/notifications?since={since}"), None::<&()>).await?;
        Ok(list.items)
    }

    /// Messages after sequence number `since` that SNS accepted and no phone displays.
    pub async fn undisplayed(&self, since: u64) -> Result<Vec<UndisplayedMessage>> {
        let list: EventList<_> = self.call(Method::GET, &format!("/unshown?since={since}"), None::<&()>).await?;
        Ok(list.items)
    }

    /// Waits until `outcome` returns a value for the notifications after `since`, and returns the value.
    ///
    /// # Errors
    /// After `timeout`, with the notifications that have arrived.
    pub async fn wait_for<T>(
        &self,
        since: u64,
        timeout: Duration,
        outcome: impl Fn(&[Notification]) -> Option<T>,
    ) -> Result<T> {
        let start = Instant::now();
        loop {
            let notifications = self.notifications(since).await?;
            if let Some(found) = outcome(&notifications) {
                return Ok(found);
            }
            let waited = start.elapsed();
            if waited > timeout {
                let received: Vec<_> =
                    notifications.iter().map(|shown| format!("{}: {}", shown.phone, shown.notice.body)).collect();
                bail!(
                    "the expected notifications did not arrive within {} s; received: {received:?}",
                    timeout.as_secs()
                );
            }
            tokio::time::sleep((waited / 8).clamp(PAUSES[0], PAUSES[1])).await;
        }
    }

    /// Waits for the first notification after `since` that satisfies `matches`.
    pub async fn wait_for_one(
        &self,
        since: u64,
        timeout: Duration,
        matches: impl Fn(&Notification) -> bool,
    ) -> Result<Notification> {
        self.wait_for(since, timeout, |all| all.iter().find(|shown| matches(shown)).cloned()).await
    }

    /// Waits for at least `count` notifications after `since`, and returns all of them.
    pub async fn wait_for_count(&self, since: u64, timeout: Duration, count: usize) -> Result<Vec<Notification>> {
        self.wait_for(since, timeout, |all| (all.len() >= count).then(|| all.to_vec())).await
    }

    /// Injects a fault into the next `times` calls, or into all calls until the faults are cleared.
    pub async fn inject_fault(&self, fault: Fault, times: Option<NonZeroU32>) -> Result<()> {
        let _: Vec<ActiveFault> = self.call(Method::POST, "/faults", Some(&FaultRequest { fault, times })).await?;
        Ok(())
    }

    /// The injected faults and their counters.
    pub async fn faults(&self) -> Result<Vec<ActiveFault>> {
        self.call(Method::GET, "/faults", None::<&()>).await
    }

    /// Removes all faults.
    pub async fn clear_faults(&self) -> Result<()> {
        let _: Vec<ActiveFault> = self.call(Method::DELETE, "/faults", None::<&()>).await?;
        Ok(())
    }

    /// Deletes phones, notifications and faults. Applications and endpoints stay, since the deployed stack owns them.
    pub async fn reset(&self) -> Result<()> {
        let _: Vec<PhoneSnapshot> = self.call(Method::DELETE, "", None::<&()>).await?;
        Ok(())
    }

    async fn call<T: DeserializeOwned>(&self, method: Method, path: &str, body: Option<&impl Serialize>) -> Result<T> {
        let mut request = self.http.request(method, format!("{}/_phones{path}", self.endpoint));
        if let Some(body) = body {
            request = request.body(serde_json::to_vec(body)?);
        }
        let response = request.send().await.context("the mobile push emulator does not respond")?;
        let status = response.status();
        let body = response.bytes().await?;
        if !status.is_success() {
            bail!("the mobile push emulator returns {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(serde_json::from_slice(&body)?)
    }
}

fn path_of(token: &str, rest: &str) -> String {
    format!("/{}{rest}", utf8_percent_encode(token, NON_ALPHANUMERIC))
}
