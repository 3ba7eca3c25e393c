//! Claims recipients in the ledger: each gets one notification of an event, and one push of all events within a cooldown.

use std::collections::BTreeSet;

use domain::push::Event;
use function_kit::{failure::Failure, logs::user_hash};
use jiff::{SignedDuration, Timestamp};
use store::ledger::{Claim, ClaimRequest, ClaimResult, Entry};
use tracing::{info, warn};

use crate::ports::{Ledger, Runtime};

const DOING: &str = "claim a notification";

/// Outcome in the name of the event that holds a cooldown: another event was pushed.
const SENT_BY_OTHER: &str = "sent_by_other";

/// Duration of a claim: longer than the function's timeout, shorter than the queue's visibility timeout. So the
/// claims of a crashed invocation have expired when the message is delivered again.
pub const CLAIM_DURATION: SignedDuration = SignedDuration::from_secs(60);

/// Claims recipients of one event and rule.
pub struct Claims<'a, P> {
    pub ports: &'a P,
    pub event: &'a Event,
    /// Id of the notification rule.
    pub rule: &'a str,
    /// The event that holds the cooldown, if it is another one.
    pub cooldown: Option<&'a Event>,
}

/// A claimed recipient.
pub struct ClaimedRecipient<'a> {
    recipient: &'a str,
    /// `None` if another event was pushed in the name of this one.
    of_event: Option<ClaimRequest<'a>>,
    of_cooldown: Option<ClaimRequest<'a>>,
    /// Ids of the devices that have the message from earlier attempts.
    pub sent: BTreeSet<String>,
    /// What the recipient may get.
    pub turn: Result<Turn, Failure>,
}

/// What a claimed recipient may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// A push and an entry in the inbox.
    Push,
    /// An entry in the inbox: another event within the cooldown was pushed.
    InboxOnly,
}

/// What was done for a claimed recipient.
pub struct Notified {
    /// Ids of the devices that have the message, from earlier attempts, too.
    pub sent: BTreeSet<String>,
    /// The final outcome; `None` if a retry is needed.
    pub outcome: Option<&'static str>,
    pub failures: Vec<Failure>,
}

impl<'a, P: Ledger + Runtime> Claims<'a, P> {
    /// Claims different recipients, each on its own. Returns `None` for those who have a final outcome.
    ///
    /// # Errors
    /// A transient failure for those whom another invocation has claimed.
    pub async fn claim(
        &self,
        recipients: &[&'a str],
        now: Timestamp,
    ) -> Result<Vec<Result<Option<ClaimedRecipient<'a>>, Failure>>, Failure> {
        let requests = self.requests(self.event, recipients)?;
        let until = now.checked_add(CLAIM_DURATION).map_err(|error| Failure::bug(DOING, error))?;
        let results = self.ports.claim_all(&requests, now, until).await;
        let claimed = requests.into_iter().zip(results).map(|(request, claim)| {
            let recipient = request.entry.recipient;
            let (of_event, sent, turn) = match claim? {
                Claim::Claimed { sent } => (Some(request), sent, Turn::Push),
                Claim::Settled(outcome) if outcome == SENT_BY_OTHER => (None, BTreeSet::new(), Turn::InboxOnly),
                Claim::Settled(_) => return Ok(None),
                Claim::Held => return Err(Failure::transient(DOING, "another invocation holds the claim")),
            };
            Ok(Some(ClaimedRecipient { recipient, of_event, of_cooldown: None, sent, turn: Ok(turn) }))
        });
        let mut claimed: Vec<_> = claimed.collect();
        if let Some(cooldown) = self.cooldown {
            let may_push = |claimed: &&mut ClaimedRecipient<'_>| matches!(claimed.turn, Ok(Turn::Push));
            let pushed = claimed.iter_mut().flatten().flatten().filter(may_push).collect();
            self.claim_in_cooldown(cooldown, pushed, now, until).await?;
        }
        Ok(claimed)
    }

    /// Claims recipients in the name of the event that holds the cooldown.
    async fn claim_in_cooldown(
        &self,
        cooldown: &'a Event,
        claimed: Vec<&mut ClaimedRecipient<'a>>,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<(), Failure> {
        let recipients: Vec<_> = claimed.iter().map(|claimed| claimed.recipient).collect();
        let requests = self.requests(cooldown, &recipients)?;
        let results = self.ports.claim_all(&requests, now, until).await;
        for ((claimed, request), result) in claimed.into_iter().zip(requests).zip(results) {
            claimed.turn = match result {
                Ok(Claim::Claimed { sent }) => {
                    claimed.sent.extend(sent);
                    claimed.of_cooldown = Some(request);
                    Ok(Turn::Push)
                }
                Ok(Claim::Settled(_)) => Ok(Turn::InboxOnly),
                Ok(Claim::Held) => Err(Failure::transient(DOING, "another event within the cooldown is being sent")),
                Err(failure) => Err(failure),
            };
        }
        Ok(())
    }

    fn requests(&self, event: &'a Event, recipients: &[&'a str]) -> Result<Vec<ClaimRequest<'a>>, Failure> {
        let entry = |recipient| Entry { event, rule: self.rule, recipient };
        recipients
            .iter()
            .map(|recipient| Ok(ClaimRequest { entry: entry(recipient), nonce: self.ports.nonce()? }))
            .collect()
    }

    /// Records what was done. Returns the failures.
    pub async fn finish(&self, results: Vec<(ClaimedRecipient<'a>, Notified)>) -> Vec<Result<(), Failure>> {
        let (mut failures, mut ends) = (Vec::new(), Vec::new());
        for (ClaimedRecipient { recipient, of_event, of_cooldown, .. }, notified) in results {
            let Notified { sent, outcome, failures: failed } = notified;
            failures.extend(failed.into_iter().map(Err));
            let (event, rule, user) = (&self.event.id, self.rule, user_hash(recipient));
            info!(event, rule, user, devices = sent.len(), outcome, "notified");
            if let Some(claim) = of_cooldown {
                // Whom nothing was sent to, the next event within the cooldown may reach.
                let outcome = outcome.filter(|_| !sent.is_empty()).map(|_| SENT_BY_OTHER);
                ends.push(ClaimResult { claim, sent: sent.clone(), outcome });
            }
            ends.extend(of_event.map(|claim| ClaimResult { claim, sent, outcome }));
        }
        let finished = self.ports.finish_claims(&ends).await;
        for (ClaimResult { claim, .. }, finished) in ends.iter().zip(finished) {
            match finished {
                Ok(true) => {}
                Ok(false) => {
                    let (event, user) = (&claim.entry.event.id, user_hash(claim.entry.recipient));
                    warn!(event, rule = self.rule, user, "claim expired before the result was recorded");
                }
                Err(failure) => failures.push(Err(failure)),
            }
        }
        failures
    }
}
