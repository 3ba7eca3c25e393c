//! Table and endpoints in memory. Any call can be made to fail.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    rc::Rc,
};

use domain::push::{Preferences, Token};
use function_kit::failure::Failure;
use interleavings::Gate;
use jiff::Timestamp;
use rest_kit::response::HandlerError;
use store::devices::{Device, Holder, RegisterOutcome, RemovalOutcome, TokenClaim, WriteOutcome};

use super::fixtures::endpoint_arn;
use crate::{
    endpoint::{Endpoint, EndpointPage},
    ports::{Devices, Endpoints, Ports},
};

/// Number of endpoints per page.
const PAGE: usize = 2;

/// All state outside the function. Each call passes the gate first and is atomic then.
#[derive(Clone, Default)]
pub struct InMemoryBackend(Rc<State>);

#[derive(Default)]
pub struct State {
    gate: Gate,
    /// By user and id.
    pub devices: RefCell<BTreeMap<(String, String), Device>>,
    /// By token.
    pub claims: RefCell<BTreeMap<String, TokenClaim>>,
    /// By ARN.
    pub endpoints: RefCell<BTreeMap<String, Endpoint>>,
    pub preferences: RefCell<BTreeMap<String, Preferences>>,
    pub erased: RefCell<BTreeSet<String>>,
    cursor: RefCell<Option<String>>,
    /// Calls in order.
    pub calls: RefCell<Vec<&'static str>>,
    /// Number of calls that succeed before all fail. `None`: all succeed.
    pub calls_until_failure: Cell<Option<usize>>,
    /// The index by token misses all devices.
    pub index_is_stale: Cell<bool>,
    /// Removals of dead devices in this hour.
    pub removals: Cell<u32>,
    /// A defect: the claims of tokens are ignored.
    pub ignores_claims: Cell<bool>,
    /// A defect: endpoints are not deleted.
    pub keeps_endpoints: Cell<bool>,
    created: Cell<usize>,
}

impl std::ops::Deref for InMemoryBackend {
    type Target = State;

    fn deref(&self) -> &State {
        &self.0
    }
}

impl InMemoryBackend {
    /// A backend whose calls pass `gate`.
    pub fn behind(gate: Gate) -> Self {
        Self(Rc::new(State { gate, ..State::default() }))
    }

    pub fn ports(&self) -> Ports<Self, Self> {
        Ports { devices: self.clone(), endpoints: self.clone() }
    }

    /// Publishes to an endpoint, as `push-fanout` does. Returns whether the message arrives at the phone.
    pub async fn publish(&self, endpoint_arn: &str) -> bool {
        self.call("publish").await.is_ok() && self.endpoints.borrow().contains_key(endpoint_arn)
    }

    async fn call(&self, name: &'static str) -> Result<(), Failure> {
        self.gate.pass(name).await;
        self.calls.borrow_mut().push(name);
        match self.calls_until_failure.get() {
            None => Ok(()),
            Some(0) => Err(Failure::transient("call", "AWS is out of reach")),
            Some(remaining) => {
                self.calls_until_failure.set(Some(remaining - 1));
                Ok(())
            }
        }
    }
}

impl State {
    /// Users whose notifications arrive at `token`.
    pub fn users_at(&self, token: &str) -> Vec<String> {
        let endpoints = self.endpoints.borrow();
        let arrives = |device: &&Device| {
            endpoints.get(&device.endpoint_arn).is_some_and(|endpoint| endpoint.token.as_deref() == Some(token))
        };
        self.devices.borrow().values().filter(arrives).map(|device| device.user.clone()).collect()
    }

    /// Devices of users.
    pub fn ids(&self, user: &str) -> Vec<String> {
        let devices = self.devices.borrow();
        devices.keys().filter(|(owner, _)| owner == user).map(|(_, id)| id.clone()).collect()
    }

    /// Endpoints that no device has.
    pub fn unused_endpoints(&self) -> usize {
        let devices = self.devices.borrow();
        let is_used = |arn: &&String| devices.values().any(|device| device.endpoint_arn == **arn);
        self.endpoints.borrow().keys().filter(|arn| !is_used(arn)).count()
    }

    /// Stores a device, and its endpoint, as the version before did.
    pub fn add_unclaimed(&self, device: Device) {
        let endpoint = Endpoint {
            arn: device.endpoint_arn.clone(),
            token: Some(device.token.as_str().to_owned()),
            is_enabled: true,
            owner: Some(crate::endpoint::Owner { user: device.user.clone(), device: device.id.clone() }),
        };
        self.endpoints.borrow_mut().insert(endpoint.arn.clone(), endpoint);
        let device = Device { registration: None, ..device };
        self.devices.borrow_mut().insert((device.user.clone(), device.id.clone()), device);
    }

    fn is_unchanged(&self, known: &Device) -> bool {
        let devices = self.devices.borrow();
        devices.get(&(known.user.clone(), known.id.clone())).is_some_and(|row| match &known.registration {
            Some(registration) => row.registration.as_ref() == Some(registration),
            None => row == known,
        })
    }

    fn claim_is(&self, token: &Token, claim: Option<&TokenClaim>) -> bool {
        let claims = self.claims.borrow();
        claims.get(token.as_str()).map(|row| &row.registration) == claim.map(|claim| &claim.registration)
    }

    fn release_claim(&self, token: &Token, registration: Option<&String>) {
        let mut claims = self.claims.borrow_mut();
        if claims.get(token.as_str()).is_some_and(|row| Some(&row.registration) == registration) {
            claims.remove(token.as_str());
        }
    }
}

impl Devices for InMemoryBackend {
    async fn list(&self, user: &str) -> Result<Vec<Device>, Failure> {
        self.call("list").await?;
        Ok(self.devices.borrow().values().filter(|device| device.user == user).cloned().collect())
    }

    async fn get(&self, user: &str, id: &str) -> Result<Option<Device>, Failure> {
        self.call("get device").await?;
        Ok(self.devices.borrow().get(&(user.to_owned(), id.to_owned())).cloned())
    }

    async fn token_claim(&self, token: &Token) -> Result<Option<TokenClaim>, Failure> {
        self.call("token claim").await?;
        Ok(self.claims.borrow().get(token.as_str()).cloned())
    }

    async fn holders(&self, token: &Token) -> Result<Vec<Holder>, Failure> {
        self.call("holders").await?;
        let devices = self.devices.borrow();
        let holders = devices.values().filter(|device| device.token == *token && !self.index_is_stale.get());
        let holder = |device: &Device| Holder {
            user: device.user.clone(),
            id: device.id.clone(),
            endpoint_arn: device.endpoint_arn.clone(),
        };
        Ok(holders.map(holder).collect())
    }

    async fn register(
        &self,
        device: &Device,
        known: Option<&Device>,
        claim: Option<&TokenClaim>,
        is_claim_stale: bool,
    ) -> Result<RegisterOutcome, Failure> {
        self.call("register").await?;
        let key = (device.user.clone(), device.id.clone());
        let is_known = match known {
            Some(known) => self.is_unchanged(known),
            None => !self.devices.borrow().contains_key(&key),
        };
        if !is_known || !(self.claim_is(&device.token, claim) || self.ignores_claims.get()) {
            return Ok(RegisterOutcome::Conflict);
        }
        let other = claim.filter(|claim| !is_claim_stale && !claim.is_held_by(&device.user, &device.id));
        if let Some((claim, holder)) = other.and_then(|claim| Some((claim, claim.holder.as_ref()?))) {
            let mut devices = self.devices.borrow_mut();
            let has_registration = |row: &Device| row.registration.as_ref() == Some(&claim.registration);
            if !devices.get(holder).is_some_and(has_registration) {
                return Ok(RegisterOutcome::StaleClaim);
            }
            devices.remove(holder);
        }
        if let Some(known) = known.filter(|known| known.token != device.token) {
            self.release_claim(&known.token, known.registration.as_ref());
        }
        let claim = TokenClaim {
            registration: device.registration.clone().expect("a registration"),
            endpoint_arn: device.endpoint_arn.clone(),
            holder: Some(key.clone()),
        };
        self.claims.borrow_mut().insert(device.token.as_str().to_owned(), claim);
        self.devices.borrow_mut().insert(key, device.clone());
        Ok(RegisterOutcome::Stored)
    }

    async fn evict(
        &self,
        token: &Token,
        claim: &TokenClaim,
        nonce: &str,
        _: Timestamp,
    ) -> Result<RegisterOutcome, Failure> {
        self.call("evict").await?;
        if !(self.claim_is(token, Some(claim)) || self.ignores_claims.get()) {
            return Ok(RegisterOutcome::Conflict);
        }
        let holder = claim.holder.clone().expect("a holder");
        let mut devices = self.devices.borrow_mut();
        if devices.get(&holder).is_none_or(|row| row.registration.as_ref() != Some(&claim.registration)) {
            return Ok(RegisterOutcome::StaleClaim);
        }
        devices.remove(&holder);
        let note = TokenClaim { registration: nonce.to_owned(), holder: None, ..claim.clone() };
        self.claims.borrow_mut().insert(token.as_str().to_owned(), note);
        Ok(RegisterOutcome::Stored)
    }

    async fn unregister(&self, device: &Device) -> Result<bool, Failure> {
        self.call("unregister").await?;
        if !self.is_unchanged(device) {
            return Ok(false);
        }
        self.devices.borrow_mut().remove(&(device.user.clone(), device.id.clone()));
        self.release_claim(&device.token, device.registration.as_ref());
        Ok(true)
    }

    async fn remove_dead(&self, device: &Device, limit: NonZeroU32, _: Timestamp) -> Result<RemovalOutcome, Failure> {
        self.call("count removal").await?;
        if self.removals.get() >= limit.get() {
            return Ok(RemovalOutcome::LimitReached);
        }
        self.removals.set(self.removals.get() + 1);
        let is_removed = self.unregister(device).await?;
        Ok(if is_removed { RemovalOutcome::Removed } else { RemovalOutcome::RegisteredAgain })
    }

    async fn delete_unclaimed(&self, token: &Token, holder: &Holder) -> Result<(), Failure> {
        self.call("delete unclaimed").await?;
        let key = (holder.user.clone(), holder.id.clone());
        let mut devices = self.devices.borrow_mut();
        let is_deleted = |row: &Device| {
            row.registration.is_none() && (row.token == *token || row.endpoint_arn == holder.endpoint_arn)
        };
        if devices.get(&key).is_some_and(is_deleted) {
            devices.remove(&key);
        }
        Ok(())
    }

    async fn begin_collection(
        &self,
        token: &Token,
        claim: Option<&TokenClaim>,
        endpoint_arn: &str,
        nonce: &str,
        _: Timestamp,
    ) -> Result<WriteOutcome, Failure> {
        self.call("begin collection").await?;
        if !(self.claim_is(token, claim) || self.ignores_claims.get()) {
            return Ok(WriteOutcome::Conflict);
        }
        let claim = TokenClaim { registration: nonce.to_owned(), endpoint_arn: endpoint_arn.to_owned(), holder: None };
        if !self.ignores_claims.get() {
            self.claims.borrow_mut().insert(token.as_str().to_owned(), claim);
        }
        Ok(WriteOutcome::Stored)
    }

    async fn collection_cursor(&self) -> Result<Option<String>, Failure> {
        self.call("cursor").await?;
        Ok(self.cursor.borrow().clone())
    }

    async fn put_collection_cursor(&self, cursor: Option<&str>) -> Result<(), Failure> {
        self.call("put cursor").await?;
        self.cursor.replace(cursor.map(str::to_owned));
        Ok(())
    }

    async fn mark_erased(&self, user: &str, _: Timestamp) -> Result<(), Failure> {
        self.call("mark erased").await?;
        self.erased.borrow_mut().insert(user.to_owned());
        Ok(())
    }

    async fn is_erased(&self, user: &str) -> Result<bool, Failure> {
        self.call("is erased").await?;
        Ok(self.erased.borrow().contains(user))
    }

    async fn delete_preferences(&self, user: &str) -> Result<(), Failure> {
        self.call("delete preferences").await?;
        self.preferences.borrow_mut().remove(user);
        Ok(())
    }

    async fn delete_of_erased(&self, device: &Device) -> Result<(), Failure> {
        self.call("delete of erased").await?;
        self.devices.borrow_mut().remove(&(device.user.clone(), device.id.clone()));
        Ok(())
    }

    async fn preferences(&self, user: &str) -> Result<Preferences, Failure> {
        self.call("preferences").await?;
        Ok(self.preferences.borrow().get(user).cloned().unwrap_or_default())
    }

    async fn put_preferences(&self, user: &str, preferences: &Preferences) -> Result<(), Failure> {
        self.call("put preferences").await?;
        self.preferences.borrow_mut().insert(user.to_owned(), preferences.clone());
        Ok(())
    }
}

impl Endpoints for InMemoryBackend {
    async fn wait(&self, _: u32) {}

    fn contains(&self, arn: &str) -> bool {
        arn.starts_with(&endpoint_arn(""))
    }

    async fn create(&self, token: &Token) -> Result<String, HandlerError> {
        self.call("create endpoint").await?;
        let mut endpoints = self.endpoints.borrow_mut();
        let existing = endpoints.values().find(|endpoint| endpoint.has_token(token)).map(|known| known.arn.clone());
        if let Some(arn) = existing {
            return Ok(arn);
        }
        self.created.set(self.created.get() + 1);
        let arn = endpoint_arn(&format!("e{}", self.created.get()));
        let token = Some(token.as_str().to_owned());
        endpoints.insert(arn.clone(), Endpoint { arn: arn.clone(), token, is_enabled: true, owner: None });
        Ok(arn)
    }

    async fn get(&self, arn: &str) -> Result<Option<Endpoint>, HandlerError> {
        self.call("get endpoint").await?;
        Ok(self.endpoints.borrow().get(arn).cloned())
    }

    async fn enable(&self, arn: &str, token: &Token) -> Result<bool, HandlerError> {
        self.call("enable endpoint").await?;
        let mut endpoints = self.endpoints.borrow_mut();
        let Some(endpoint) = endpoints.get_mut(arn).filter(|endpoint| endpoint.has_token(token)) else {
            return Ok(false);
        };
        (endpoint.is_enabled, endpoint.owner) = (true, None);
        Ok(true)
    }

    async fn delete(&self, arn: &str) -> Result<(), Failure> {
        self.call("delete endpoint").await?;
        if !self.keeps_endpoints.get() {
            self.endpoints.borrow_mut().remove(arn);
        }
        Ok(())
    }

    async fn page(&self, cursor: Option<&str>) -> Result<Option<EndpointPage>, Failure> {
        self.call("page").await?;
        if cursor == Some("expired") {
            return Ok(None);
        }
        let endpoints = self.endpoints.borrow();
        let after = endpoints.iter().filter(|(arn, _)| cursor.is_none_or(|cursor| arn.as_str() > cursor));
        let mut page: Vec<_> = after.map(|(_, endpoint)| endpoint.clone()).collect();
        let has_more = page.len() > PAGE;
        page.truncate(PAGE);
        let next = page.last().filter(|_| has_more).map(|endpoint| endpoint.arn.clone());
        Ok(Some(EndpointPage { endpoints: page, next }))
    }
}
