//! Signing in and out on a phone.
//!
//! A notification goes where a row leads. So a row is written when its endpoint is its owner's, and
//! removed before its endpoint is: whatever fails in between, nobody gets what is another's. What
//! may be left is an endpoint that no row leads to, and whoever registers its token next takes it.

use api::DeviceRegistration;
use domain::push::Token;
use function_kit::failure::Failure;
use jiff::Timestamp;
use store::devices::{Device, DeviceTable, Holder, WriteOutcome};
use tracing::info;

use crate::{
    endpoints::{Endpoints, Owner},
    error::Error,
    registration::register,
};

/// Devices of one user at most: whoever signs in on one more loses the one that was seen last the
/// longest time ago.
pub const MAX_DEVICES: usize = 20;

/// How often to look again if somebody else changes the row at the same time.
const ATTEMPTS: usize = 3;

/// What signing in and out reads and writes.
pub struct Ports {
    pub table: DeviceTable,
    pub endpoints: Endpoints,
}

/// Makes sure that `user`, and nobody else, is reached by the token of `registration`.
pub async fn sign_in(
    ports: &Ports,
    now: Timestamp,
    user: &str,
    id: &str,
    registration: DeviceRegistration,
) -> Result<Device, Error> {
    let DeviceRegistration { token, platform, language } = registration;
    let owner = Owner { user: user.to_owned(), device: id.to_owned() };
    for _ in 0..ATTEMPTS {
        let (known, others) = split(ports.table.list(user).await?, id);
        let holders = take_token_away(ports, &owner, &token).await?;
        let candidates = holders.iter().map(|holder| &holder.endpoint_arn);
        let mut candidates = candidates.chain(known.iter().map(|known| &known.endpoint_arn));
        let candidate = candidates.find(|candidate| ports.endpoints.has(candidate)).cloned();
        let endpoint_arn = register(&ports.endpoints, &owner, &token, candidate, async |before, endpoint_arn| {
            // The index by token does not know everything at once; the endpoint does.
            let Owner { user, device: id } = before;
            ports.table.delete_holder(&token, &Holder { user, id, endpoint_arn: endpoint_arn.to_owned() }).await
        })
        .await?;
        let device = Device {
            user: user.to_owned(),
            id: id.to_owned(),
            endpoint_arn,
            token: token.clone(),
            platform,
            language: language.clone(),
            last_seen: now,
        };
        if ports.table.put(&device, known.as_ref()).await? == WriteOutcome::Conflict {
            continue;
        }
        info!(user, device = id, "signed in");
        if let Some(superseded) = known.filter(|known| known.endpoint_arn != device.endpoint_arn) {
            ports.endpoints.release(&superseded.endpoint_arn, &owner).await?;
        }
        drop_oldest(ports, others).await?;
        return Ok(device);
    }
    Err(Failure::transient("store a device", "it was changed time and again").into())
}

/// Makes sure that `user` is not reached by the device any more. A sign-in at the same time, such
/// as one with a newer token, loses: no notification is better than a stranger's.
pub async fn sign_out(ports: &Ports, user: &str, id: &str) -> Result<(), Error> {
    for _ in 0..ATTEMPTS {
        let Some(device) = ports.table.get(user, id).await? else { return Ok(()) };
        if remove(ports, &device).await? {
            info!(user, device = id, "signed out");
            return Ok(());
        }
    }
    Err(Failure::transient("forget a device", "it was changed time and again").into())
}

/// Removes the rows of all others who have `token`; tells whose they were.
async fn take_token_away(ports: &Ports, owner: &Owner, token: &Token) -> Result<Vec<Holder>, Error> {
    let mut holders = ports.table.holders(token).await?;
    holders.retain(|holder| (&holder.user, &holder.id) != (&owner.user, &owner.device));
    for holder in &holders {
        ports.table.delete_holder(token, holder).await?;
    }
    Ok(holders)
}

/// Removes those that are too many with one more.
async fn drop_oldest(ports: &Ports, mut others: Vec<Device>) -> Result<(), Error> {
    others.sort_by_key(|device| device.last_seen);
    let too_many = (others.len() + 1).saturating_sub(MAX_DEVICES);
    for device in &others[..too_many] {
        remove(ports, device).await?;
    }
    Ok(())
}

/// Removes the row, if it still is as it was seen, and then its endpoint; tells whether it was.
async fn remove(ports: &Ports, device: &Device) -> Result<bool, Error> {
    let removed = ports.table.delete_if_unchanged(device).await?;
    if removed {
        let owner = Owner { user: device.user.clone(), device: device.id.clone() };
        ports.endpoints.release(&device.endpoint_arn, &owner).await?;
    }
    Ok(removed)
}

/// The device `id`, and the others.
fn split(devices: Vec<Device>, id: &str) -> (Option<Device>, Vec<Device>) {
    let (mut known, others): (Vec<_>, Vec<_>) = devices.into_iter().partition(|device| device.id == id);
    (known.pop(), others)
}

#[cfg(test)]
mod tests {
    use domain::push::Platform;

    use super::*;
    use crate::testing::{World, endpoint_arn, token};

    async fn comes(world: &World, user: &str, id: &str, token_text: &str, now: i64) -> Result<Device, Error> {
        let registration =
            DeviceRegistration { token: token(token_text), platform: Platform::Ios, language: Some("ko".into()) };
        let now = Timestamp::from_second(now).expect("a time");
        sign_in(&world.ports(), now, user, id, registration).await
    }

    async fn goes(world: &World, user: &str, id: &str) -> Result<(), Error> {
        sign_out(&world.ports(), user, id).await
    }

    /// The names of a user's devices.
    async fn devices(world: &World, user: &str) -> Vec<String> {
        let devices = world.ports().table.list(user).await.expect("devices");
        devices.into_iter().map(|device| device.id).collect()
    }

    #[tokio::test]
    async fn who_signs_in_is_reached_and_who_signs_out_is_not() {
        let world = World::default();
        let device = comes(&world, "mina", "phone", "t", 1).await.expect("signed in");
        assert_eq!(world.ports().table.get("mina", "phone").await.expect("a look"), Some(device));
        assert_eq!(world.state().reached_at("t"), ["mina"]);
        for _ in 0..2 {
            goes(&world, "mina", "phone").await.expect("signed out");
            let state = world.state();
            assert!(state.rows.is_empty() && state.endpoints.is_empty());
        }
    }

    #[tokio::test]
    async fn signing_in_again_changes_when_it_was_seen_and_nothing_else() {
        let world = World::default();
        let first = comes(&world, "mina", "phone", "t", 1).await.expect("signed in");
        world.state().calls.clear();
        let second = comes(&world, "mina", "phone", "t", 2).await.expect("signed in");
        assert_eq!(second, Device { last_seen: Timestamp::from_second(2).expect("a time"), ..first });
        assert_eq!(world.state().calls, ["query", "query", "get endpoint", "put row"]);
    }

    #[tokio::test]
    async fn a_new_token_takes_the_place_of_the_former() {
        let world = World::default();
        let first = comes(&world, "mina", "phone", "old", 1).await.expect("signed in");
        let second = comes(&world, "mina", "phone", "new", 2).await.expect("signed in");
        assert_eq!(first.endpoint_arn, second.endpoint_arn);
        let state = world.state();
        assert_eq!((state.reached_at("old"), state.reached_at("new")), (vec![], vec!["mina"]));
        assert_eq!((state.endpoints.len(), state.rows.len()), (1, 1));
    }

    #[tokio::test]
    async fn a_new_token_that_has_an_endpoint_leaves_none_of_the_former() {
        let world = World::default();
        comes(&world, "jun", "his", "new", 1).await.expect("signed in");
        comes(&world, "mina", "phone", "old", 2).await.expect("signed in");
        // The same phone, which Jun has given to Mina without signing out.
        comes(&world, "mina", "phone", "new", 3).await.expect("signed in");
        let state = world.state();
        assert_eq!((state.reached_at("old"), state.reached_at("new")), (vec![], vec!["mina"]));
        assert_eq!((state.endpoints.len(), state.rows.len()), (1, 1));
    }

    #[tokio::test]
    async fn another_account_on_the_phone_takes_it_over() {
        for index_is_behind in [false, true] {
            let world = World::default();
            comes(&world, "mina", "phone", "t", 1).await.expect("signed in");
            world.state().index_is_behind = index_is_behind;
            let device = comes(&world, "jun", "phone", "t", 2).await.expect("signed in");
            assert_eq!(device.endpoint_arn, endpoint_arn("e1"));
            assert_eq!(world.state().reached_at("t"), ["jun"]);
            assert!(devices(&world, "mina").await.is_empty());
            // The former user's late sign-out takes nothing from the new one.
            goes(&world, "mina", "phone").await.expect("signed out");
            assert_eq!(world.state().reached_at("t"), ["jun"]);
        }
    }

    #[tokio::test]
    async fn whatever_fails_in_between_no_stranger_is_reached_and_a_second_try_succeeds() {
        for index_is_behind in [false, true] {
            for calls_until_failure in 0.. {
                let world = World::default();
                comes(&world, "mina", "phone", "t", 1).await.expect("signed in");
                comes(&world, "jun", "phone", "u", 1).await.expect("signed in");
                world.state().index_is_behind = index_is_behind;
                world.state().calls_until_failure = Some(calls_until_failure);
                let outcome = comes(&world, "jun", "phone", "t", 2).await;
                world.state().calls_until_failure = None;
                // Of two who are reached, one is a stranger.
                let reached = world.state().reached_at("t").len();
                assert!(reached <= 1, "{reached} after {calls_until_failure} calls");
                if outcome.is_ok() {
                    assert!(calls_until_failure >= 6, "only {calls_until_failure} calls");
                    break;
                }
                comes(&world, "jun", "phone", "t", 3).await.expect("signed in");
                assert_eq!(world.state().reached_at("t"), ["jun"], "after {calls_until_failure} calls");
                assert!(world.state().reached_at("u").is_empty());
                assert!(devices(&world, "mina").await.is_empty());
            }
        }
    }

    #[tokio::test]
    async fn a_sign_out_that_fails_half_way_reaches_nobody_any_more() {
        // The row is read and deleted; what follows may fail.
        for calls_until_failure in 2..4 {
            let world = World::default();
            comes(&world, "mina", "phone", "t", 1).await.expect("signed in");
            world.state().calls_until_failure = Some(calls_until_failure);
            goes(&world, "mina", "phone").await.expect_err("a failure");
            world.state().calls_until_failure = None;
            assert!(world.state().rows.is_empty());
            goes(&world, "mina", "phone").await.expect("signed out");
            // The endpoint that was left is the next user's.
            comes(&world, "jun", "phone", "t", 2).await.expect("signed in");
            let state = world.state();
            assert_eq!((state.reached_at("t"), state.endpoints.len()), (vec!["jun"], 1));
        }
    }

    #[tokio::test]
    async fn a_sign_in_that_meets_another_looks_again() {
        let world = World::default();
        comes(&world, "mina", "phone", "old", 1).await.expect("signed in");
        // Somebody signs the phone out just before the row is written.
        world.state().before_put = Some(Box::new(|state| {
            state.rows.clear();
            state.endpoints.clear();
        }));
        comes(&world, "mina", "phone", "new", 2).await.expect("signed in");
        let state = world.state();
        assert_eq!((state.reached_at("new"), state.endpoints.len()), (vec!["mina"], 1));
    }

    #[tokio::test]
    async fn an_endpoint_of_a_former_application_is_not_asked_for() {
        let world = World::default();
        let device = comes(&world, "mina", "phone", "t", 1).await.expect("signed in");
        let former = "arn:aws:sns:ap-northeast-2:123456789012:endpoint/GCM/iyagi-push-2/e1".to_owned();
        let moved = Device { endpoint_arn: former, ..device.clone() };
        world.ports().table.put(&moved, Some(&device)).await.expect("stored");
        let again = comes(&world, "mina", "phone", "t", 2).await.expect("signed in");
        assert_eq!(again.endpoint_arn, device.endpoint_arn);
        assert_eq!(world.state().reached_at("t"), ["mina"]);
    }

    #[tokio::test]
    async fn the_device_not_seen_for_longest_makes_room() {
        let world = World::default();
        for number in 0..MAX_DEVICES {
            // The second is the oldest.
            let seen = if number == 1 { 0 } else { 100 + i64::try_from(number).expect("small") };
            comes(&world, "mina", &format!("d{number}"), &format!("t{number}"), seen).await.expect("signed in");
        }
        assert_eq!(devices(&world, "mina").await.len(), MAX_DEVICES);
        // One that is known needs no room.
        comes(&world, "mina", "d0", "t0", 200).await.expect("signed in");
        assert_eq!(devices(&world, "mina").await.len(), MAX_DEVICES);
        comes(&world, "mina", "new", "t", 300).await.expect("signed in");
        let left = devices(&world, "mina").await;
        assert_eq!(left.len(), MAX_DEVICES);
        assert!(!left.contains(&"d1".to_owned()) && left.contains(&"new".to_owned()));
        let state = world.state();
        assert!(state.reached_at("t1").is_empty() && state.endpoints.len() == MAX_DEVICES);
    }
}
