//! Notifies given recipients of an event, after a last look at the facts.

use domain::{
    export::ExportReady,
    media::Visibility,
    push::{Event, Row, Rule, TemplateArgs, Vertex, follows, rules},
};
use function_kit::{failure::Failure, metrics::Metrics};
use jiff::SignedDuration;
use store::audience::PendingKey;
use tracing::error;

use crate::{
    cooldown,
    deliver::Dispatch,
    edge_facts::{EdgeFacts, vertex},
    inbox,
    message::MAX_TURNS,
    ports::Ports,
    suppression::Suppression,
};

/// Evaluates the rules for projected messages. The steps, from the last to the first: this file, `follower_pages.rs`,
/// `evaluate.rs`, `pending_events.rs`, `handle_message.rs`.
pub struct Notifier<'a, P> {
    pub ports: &'a P,
    pub metrics: &'a Metrics,
    /// How long an edge that is removed and added again is not pushed again; zero: not at all.
    pub cooldown: SignedDuration,
}

impl<P: Ports> Notifier<'_, P> {
    /// Notifies `recipients`, if the edge still exists and they may see the story. Returns the vertex whose
    /// visibility excludes some of them, if one does. Determines the cooldown, unless that is done.
    pub async fn notify(
        &self,
        event: &Event,
        rule: &Rule,
        actor: &str,
        mut recipients: Vec<String>,
        cooldown_holder: Option<String>,
    ) -> Result<Option<String>, Failure> {
        let person = Row::Vertex(actor.to_owned());
        let mut rows = EdgeFacts::rows(event);
        rows.push(person.clone());
        let found = self.ports.look_up(&rows).await?;
        let Some(facts) = EdgeFacts::of(event, &found) else {
            Suppression::Withdrawn.count(self.metrics);
            inbox::remove_from(self.ports, event, rule, &recipients).await?;
            return Ok(None);
        };
        let mut waits_for = None;
        if let Some(end) = rule.discloses() {
            let (story, id) = (end.of(&facts.source, &facts.target), rule.vertex(end, event).to_owned());
            match story.visibility.map(|fact| fact.visibility) {
                None | Some(Visibility::Private) => return Ok(Some(id)),
                Some(Visibility::Followers) if !rules::targets_followers(rule) => {
                    let total = recipients.len();
                    recipients = self.followers_among(recipients, story).await?;
                    if recipients.len() < total {
                        // An older follow may be delivered later.
                        for owner in &story.owners {
                            let key = PendingKey::RecentBy(owner.person.clone());
                            self.ports.add_pending(&key, event, &self.ports.nonce()?).await?;
                        }
                        waits_for = Some(id);
                    }
                }
                Some(Visibility::Followers | Visibility::Public) => {}
            }
        }
        let args = TemplateArgs {
            actor_name: vertex(&found, &person).name,
            source_title: facts.source.title,
            target_title: facts.target.title,
        };
        let holder = match cooldown_holder {
            None if recipients.iter().all(|recipient| recipient == actor) => event.id.clone(),
            None => self.cooldown_holder(event, rule).await?,
            Some(decided) => decided,
        };
        let cooldown = (holder != event.id).then(|| Event { id: holder, ..event.clone() });
        let Self { ports, metrics, .. } = *self;
        Dispatch { ports, metrics, event, rule, actor, args, cooldown }.send(recipients).await?;
        Ok(waits_for)
    }

    /// Notifies a person that the copy of everything about them is ready. The ledger prevents a second notification.
    pub async fn notify_of_export(&self, ready: ExportReady) -> Result<(), Failure> {
        let (event, rule) =
            Event::of_export(&ready).ok_or_else(|| Failure::bug("announce an export", "there is no rule"))?;
        let Self { ports, metrics, .. } = *self;
        let (actor, args) = (event.from.as_str(), TemplateArgs::default());
        Dispatch { ports, metrics, event: &event, rule, actor, args, cooldown: None }.send(vec![ready.user]).await
    }

    /// Id of the event that holds the cooldown of this one.
    pub async fn cooldown_holder(&self, event: &Event, rule: &Rule) -> Result<String, Failure> {
        cooldown::holder(self.ports, self.cooldown, event, rule).await
    }

    /// Those of `persons` who own the story or follow one of its owners.
    async fn followers_among(&self, persons: Vec<String>, story: &Vertex) -> Result<Vec<String>, Failure> {
        let follower = |owner: &str, person: &str| Row::Follower { of: owner.to_owned(), follower: person.to_owned() };
        let owners = || story.owners.iter().map(|owner| owner.person.as_str());
        let rows: Vec<_> =
            persons.iter().flat_map(|person| owners().map(move |owner| follower(owner, person))).collect();
        let found = self.ports.look_up(&rows).await?;
        let may_see = |person: &String| {
            owners().any(|owner| owner == person || found.get(&follower(owner, person)).is_some_and(follows))
        };
        Ok(persons.into_iter().filter(may_see).collect())
    }

    /// Whether a page after page `number` may be enqueued. If not, the rest of the audience gets nothing: a chain as long is
    /// a loop, or needs another way to reach its audience.
    pub fn may_continue(&self, cause: &str, number: u32) -> bool {
        let may_continue = number < MAX_TURNS;
        if !may_continue {
            error!(cause, number, "the audience has too many pages: the rest of it is not notified");
            Suppression::TooManyPages.count(self.metrics);
        }
        may_continue
    }

    /// What the projections hold about the event's edge and its ends. `None` if the edge is gone.
    pub async fn facts(&self, event: &Event) -> Result<Option<EdgeFacts>, Failure> {
        Ok(EdgeFacts::of(event, &self.ports.look_up(&EdgeFacts::rows(event)).await?))
    }
}
