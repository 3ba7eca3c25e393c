//! Interfaces to the outside: the table and SNS in production, an in-memory backend in tests.

use std::num::NonZeroU32;

use domain::push::{Preferences, Token};
use function_kit::failure::Failure;
use jiff::Timestamp;
use rest_kit::response::HandlerError;
use store::devices::{Device, Holder, RegisterOutcome, RemovalOutcome, TokenClaim, WriteOutcome};

use crate::endpoint::{Endpoint, EndpointPage};

/// Table and endpoints.
pub struct Ports<D, E> {
    pub devices: D,
    pub endpoints: E,
}

/// The table `devices`.
pub trait Devices {
    async fn list(&self, user: &str) -> Result<Vec<Device>, Failure>;
    async fn get(&self, user: &str, id: &str) -> Result<Option<Device>, Failure>;
    async fn token_claim(&self, token: &Token) -> Result<Option<TokenClaim>, Failure>;
    /// Devices that have the token by the index, which is eventually consistent.
    async fn holders(&self, token: &Token) -> Result<Vec<Holder>, Failure>;
    /// Stores the device and the claim of its token, in place of the device that has the token.
    async fn register(
        &self,
        device: &Device,
        known: Option<&Device>,
        claim: Option<&TokenClaim>,
        is_claim_stale: bool,
    ) -> Result<RegisterOutcome, Failure>;
    /// Deletes the device that has the token, and notes that the endpoint is being deleted.
    async fn evict(
        &self,
        token: &Token,
        claim: &TokenClaim,
        nonce: &str,
        now: Timestamp,
    ) -> Result<RegisterOutcome, Failure>;
    /// Deletes the device and the claim of its token. `false` if the device has registered again since it was read.
    async fn unregister(&self, device: &Device) -> Result<bool, Failure>;
    /// As `unregister`, unless `limit` devices were removed in the hour of `now`.
    async fn remove_dead(&self, device: &Device, limit: NonZeroU32, now: Timestamp) -> Result<RemovalOutcome, Failure>;
    /// Deletes a device of the version before, which has no claim.
    async fn delete_unclaimed(&self, token: &Token, holder: &Holder) -> Result<(), Failure>;
    async fn begin_collection(
        &self,
        token: &Token,
        claim: Option<&TokenClaim>,
        endpoint_arn: &str,
        nonce: &str,
        now: Timestamp,
    ) -> Result<WriteOutcome, Failure>;
    async fn collection_cursor(&self) -> Result<Option<String>, Failure>;
    async fn put_collection_cursor(&self, cursor: Option<&str>) -> Result<(), Failure>;
    /// Stores that the account is being erased.
    async fn mark_erased(&self, user: &str, now: Timestamp) -> Result<(), Failure>;
    async fn is_erased(&self, user: &str) -> Result<bool, Failure>;
    async fn delete_preferences(&self, user: &str) -> Result<(), Failure>;
    /// Deletes the row of a device of an erased user, who can register none.
    async fn delete_of_erased(&self, device: &Device) -> Result<(), Failure>;
    async fn preferences(&self, user: &str) -> Result<Preferences, Failure>;
    async fn put_preferences(&self, user: &str, preferences: &Preferences) -> Result<(), Failure>;
}

/// The endpoints of one SNS platform application.
pub trait Endpoints {
    /// Waits before another `attempt` to find or create an endpoint, since reads are eventually consistent.
    async fn wait(&self, attempt: u32);
    /// Whether the endpoint belongs to this application. Endpoints of another one, such as a former one, cannot be used.
    fn contains(&self, endpoint_arn: &str) -> bool;
    /// Creates an endpoint for the token, or finds the existing one, which may be disabled. Returns its ARN.
    async fn create(&self, token: &Token) -> Result<String, HandlerError>;
    /// `None` if the endpoint does not exist. Eventually consistent.
    async fn get(&self, endpoint_arn: &str) -> Result<Option<Endpoint>, HandlerError>;
    /// Enables the endpoint and clears its owner. `false` if it does not exist, or no longer has the token.
    async fn enable(&self, endpoint_arn: &str, token: &Token) -> Result<bool, HandlerError>;
    /// Deletes the endpoint. A missing one is no error.
    async fn delete(&self, endpoint_arn: &str) -> Result<(), Failure>;
    /// A page of all endpoints. `None` if the cursor has expired.
    async fn page(&self, cursor: Option<&str>) -> Result<Option<EndpointPage>, Failure>;
}
