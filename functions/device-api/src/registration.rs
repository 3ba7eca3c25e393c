//! AWS's algorithm for tokens of mobile apps.

use std::time::Duration;

use domain::push::Token;
use function_kit::failure::Failure;

use crate::{
    endpoints::{Endpoints, Owner, Set},
    error::Error,
};

/// An endpoint that is not found is created again: look-ups are eventually consistent.
const ROUNDS: u32 = 3;

/// How long to wait before the second round; before the third, twice as long.
const PAUSE: Duration = Duration::from_millis(100);

/// An endpoint that leads to the device, as SNS says.
#[derive(Debug, PartialEq, Eq)]
pub struct Registered {
    pub endpoint_arn: String,
    /// Whose it was before, if it was somebody else's.
    pub before: Option<Owner>,
}

/// Makes sure that an enabled endpoint with `token` is `owner`'s: `known`, if one is known, or the
/// one that has the token already, or a new one.
pub async fn register(
    endpoints: &Endpoints,
    owner: &Owner,
    token: &Token,
    known: Option<String>,
) -> Result<Registered, Error> {
    let mut known = known;
    for round in 0..ROUNDS {
        tokio::time::sleep(PAUSE * round).await;
        let endpoint_arn = match known.take() {
            Some(endpoint_arn) => endpoint_arn,
            None => endpoints.create(token, owner).await?,
        };
        // Also right after a creation: an endpoint that was there may be disabled, or another's.
        let Some(found) = endpoints.get(&endpoint_arn).await? else { continue };
        if found.is_anothers(owner, token) {
            continue;
        }
        let set =
            if found.reach(owner, token) { Set::Done } else { endpoints.set(&endpoint_arn, token, owner).await? };
        match set {
            Set::Done => {
                let before = found.owner.filter(|before| before != owner);
                return Ok(Registered { endpoint_arn, before });
            }
            Set::Gone => {}
            Set::Taken(other) => known = Some(other),
        }
    }
    Err(Failure::transient("register a token", "its endpoint was gone time and again").into())
}
