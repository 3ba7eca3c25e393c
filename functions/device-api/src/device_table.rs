use std::num::NonZeroU32;

use domain::push::{Preferences, Token};
use function_kit::failure::Failure;
use jiff::Timestamp;
use store::devices::{Device, DeviceTable, Holder, RegisterOutcome, RemovalOutcome, TokenClaim, WriteOutcome};

use crate::ports::Devices;

impl Devices for DeviceTable {
    async fn list(&self, user: &str) -> Result<Vec<Device>, Failure> {
        Self::list(self, user).await
    }

    async fn get(&self, user: &str, id: &str) -> Result<Option<Device>, Failure> {
        Self::get(self, user, id).await
    }

    async fn token_claim(&self, token: &Token) -> Result<Option<TokenClaim>, Failure> {
        Self::token_claim(self, token).await
    }

    async fn holders(&self, token: &Token) -> Result<Vec<Holder>, Failure> {
        Self::holders(self, token).await
    }

    async fn register(
        &self,
        device: &Device,
        known: Option<&Device>,
        claim: Option<&TokenClaim>,
        is_claim_stale: bool,
    ) -> Result<RegisterOutcome, Failure> {
        Self::register(self, device, known, claim, is_claim_stale).await
    }

    async fn evict(
        &self,
        token: &Token,
        claim: &TokenClaim,
        nonce: &str,
        now: Timestamp,
    ) -> Result<RegisterOutcome, Failure> {
        Self::evict(self, token, claim, nonce, now).await
    }

    async fn unregister(&self, device: &Device) -> Result<bool, Failure> {
        Self::unregister(self, device).await
    }

    async fn remove_dead(&self, device: &Device, limit: NonZeroU32, now: Timestamp) -> Result<RemovalOutcome, Failure> {
        Self::remove_dead(self, device, limit, now).await
    }

    async fn delete_unclaimed(&self, token: &Token, holder: &Holder) -> Result<(), Failure> {
        Self::delete_unclaimed(self, token, holder).await
    }

    async fn begin_collection(
        &self,
        token: &Token,
        claim: Option<&TokenClaim>,
        endpoint_arn: &str,
        nonce: &str,
        now: Timestamp,
    ) -> Result<WriteOutcome, Failure> {
        Self::begin_collection(self, token, claim, endpoint_arn, nonce, now).await
    }

    async fn collection_cursor(&self) -> Result<Option<String>, Failure> {
        Self::collection_cursor(self).await
    }

    async fn put_collection_cursor(&self, cursor: Option<&str>) -> Result<(), Failure> {
        Self::put_collection_cursor(self, cursor).await
    }

    async fn mark_erased(&self, user: &str, now: Timestamp) -> Result<(), Failure> {
        Self::mark_erased(self, user, now).await
    }

    async fn is_erased(&self, user: &str) -> Result<bool, Failure> {
        Self::is_erased(self, user).await
    }

    async fn delete_preferences(&self, user: &str) -> Result<(), Failure> {
        Self::delete_preferences(self, user).await
    }

    async fn delete_of_erased(&self, device: &Device) -> Result<(), Failure> {
        Self::delete_of_erased(self, device).await
    }

    async fn preferences(&self, user: &str) -> Result<Preferences, Failure> {
        Self::preferences(self, user).await
    }

    async fn put_preferences(&self, user: &str, preferences: &Preferences) -> Result<(), Failure> {
        Self::put_preferences(self, user, preferences).await
    }
}
