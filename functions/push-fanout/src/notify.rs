//! Step 2: evaluates the notification rules and determines the recipients.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    export::ExportReady,
    graph::{Change, ChangeKind, GenerationPosition},
    media::Visibility,
    push::{
        Event, Recipients, Registers, Resolution, Row, Rule, TemplateArgs, Vertex, followed_before, follows, rules,
        vertex_with_visibility,
    },
};
use function_kit::{failure::Failure, metrics::Metrics};
use futures_util::{StreamExt, stream};
use jiff::SignedDuration;
use store::{
    audience::{Followers, PendingEvent, PendingKey, PendingPage},
    ledger::PageBound,
};
use tracing::{error, info, instrument};

use crate::{
    cooldown,
    deliver::{Dispatch, combine},
    edge_facts::{EdgeFacts, vertex},
    erasure, inbox,
    message::{Continuation, FollowerPage, MAX_TURNS, Message, PendingEvents},
    ports::Ports,
    suppression::Suppression,
};

/// Number of pending events processed in parallel.
const PARALLEL_EVENTS: usize = 8;

/// Evaluates the rules for projected messages.
pub struct Notifier<'a, P> {
    pub ports: &'a P,
    pub metrics: &'a Metrics,
    /// How long an edge that is removed and added again is not pushed again; zero: not at all.
    pub cooldown: SignedDuration,
}

/// Position in the audience of an event.
struct PagePosition {
    /// The follower before the page.
    after: Option<String>,
    /// Number of the page, from 0.
    number: u32,
    /// Position since which the story is visible. When a hidden story becomes visible again, all pages are processed
    /// again.
    visible_since: Option<GenerationPosition>,
    /// Whether a cooldown suppresses the pushes; `None` until the first page with recipients has decided that.
    is_suppressed: Option<bool>,
}

impl PagePosition {
    fn first(rule: &Rule, facts: &EdgeFacts) -> Self {
        let visibility = rule.discloses().and_then(|end| end.of(&facts.source, &facts.target).visibility);
        Self {
            after: None,
            number: 0,
            visible_since: visibility.map(|visibility| visibility.since),
            is_suppressed: None,
        }
    }

    /// Name in the ledger of one pass over the audience.
    fn pass(&self, rule: &Rule) -> String {
        self.visible_since.map_or_else(|| rule.id.clone(), |since| format!("{}@{since}", rule.id))
    }
}

impl<P: Ports> Notifier<'_, P> {
    /// Notifies the recipients of a message, after the whole batch was projected.
    pub async fn handle(&self, message: Message) -> Result<(), Failure> {
        match message {
            Message::Change(received) => {
                self.resume_pending(&received.change, &received.id).await?;
                inbox::withdraw_removed(self.ports, &received).await?;
                match Event::of(&received) {
                    Some(event) => self.process(&event).await.map(drop),
                    None => Ok(()),
                }
            }
            Message::ExportReady(ready) => self.notify_of_export(ready).await,
            Message::Continuation(continuation) => match *continuation {
                Continuation::FollowerPage(FollowerPage {
                    event,
                    rule,
                    after,
                    number,
                    visible_since,
                    is_suppressed,
                }) => {
                    let rule =
                        rules::by_id(&rule).ok_or_else(|| Failure::bug("continue an audience", "unknown rule"))?;
                    let page = PagePosition { after: Some(after), number, visible_since, is_suppressed };
                    self.continue_audience(&event, rule, &page).await
                }
                Continuation::PendingEvents(PendingEvents { vertex, cause, after, number }) => {
                    self.process_pending(&vertex, &cause, Some(&after), number).await
                }
                Continuation::Erasure(page) => erasure::erase(self.ports, page).await,
                Continuation::InboxWithdrawal(page) => inbox::withdraw_from_followers(self.ports, page).await,
            },
        }
    }

    /// Notifies a person that the copy of everything about them is ready. The ledger prevents a second notification.
    async fn notify_of_export(&self, ready: ExportReady) -> Result<(), Failure> {
        let (event, rule) =
            Event::of_export(&ready).ok_or_else(|| Failure::bug("announce an export", "there is no rule"))?;
        let Self { ports, metrics, .. } = *self;
        let (actor, args) = (event.from.as_str(), TemplateArgs::default());
        Dispatch { ports, metrics, event: &event, rule, actor, args, is_suppressed: false }.send(vec![ready.user]).await
    }

    /// Processes the events that waited for a fact of this change. FIFO groups are not ordered among each other: an
    /// edge can arrive before the owner or the visibility of its vertices, and a story before an older follow.
    async fn resume_pending(&self, change: &Change, cause: &str) -> Result<(), Failure> {
        if let Some(vertex) = vertex_with_visibility(change) {
            return self.process_pending(vertex, cause, None, 0).await;
        }
        let Some(ends) = change.ends.as_ref().filter(|_| change.change_kind != ChangeKind::Removed) else {
            return Ok(());
        };
        for label in change.labels.added.iter().chain(&change.labels.kept) {
            match label.as_str() {
                "told" | "wrote" => self.process_pending(&ends.to, cause, None, 0).await?,
                "follows" => self.notify_late_follower(&ends.to, &ends.from).await?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Processes a page of the events that wait for `vertex`, and enqueues the next page.
    async fn process_pending(
        &self,
        vertex: &str,
        cause: &str,
        after: Option<&str>,
        number: u32,
    ) -> Result<(), Failure> {
        let key = PendingKey::WaitingFor(vertex.to_owned());
        let PendingPage { events, next } = self.ports.pending_page(&key, after).await?;
        if let Some(after) = next
            && self.may_continue(cause, number)
        {
            let (vertex, cause) = (vertex.to_owned(), cause.to_owned());
            let next = Continuation::PendingEvents(PendingEvents { vertex, cause, after, number: number + 1 });
            self.ports.enqueue(&next).await?;
        }
        let process = async |pending: PendingEvent| {
            // If the event waits for the other vertex only, it is pending there.
            if self.process(&pending.event).await?.contains(vertex) {
                return Ok(());
            }
            self.ports.drop_pending(&key, &pending).await
        };
        combine(stream::iter(events).map(process).buffer_unordered(PARALLEL_EVENTS).collect::<Vec<_>>().await)
    }

    /// Notifies a follower of recent stories of `person` that are newer than the follow, but were delivered before
    /// it.
    async fn notify_late_follower(&self, person: &str, follower: &str) -> Result<(), Failure> {
        let key = PendingKey::RecentBy(person.to_owned());
        let mut after = None;
        loop {
            let PendingPage { events, next } = self.ports.pending_page(&key, after.as_deref()).await?;
            if !events.is_empty() {
                let row = Row::Follower { of: person.to_owned(), follower: follower.to_owned() };
                let follow = self.ports.look_up(std::slice::from_ref(&row)).await?.remove(&row).unwrap_or_default();
                let events = events.iter().map(|pending| &pending.event);
                for event in events.filter(|event| followed_before(&follow, event.position)) {
                    for rule in event.rules().filter(|rule| rules::targets_followers(rule)) {
                        let waits_for = self.notify(event, rule, &event.from, vec![follower.to_owned()], None).await?;
                        // The story was hidden since: make the event pending until it is visible again.
                        if waits_for.is_some() {
                            self.process(event).await?;
                        }
                    }
                }
            }
            if next.is_none() {
                return Ok(());
            }
            after = next;
        }
    }

    /// Evaluates all rules for an event and keeps it pending for the vertices whose facts are missing. Returns these
    /// vertices.
    #[instrument(level = "error", skip_all, fields(event = event.id))]
    async fn process(&self, event: &Event) -> Result<BTreeSet<String>, Failure> {
        if self.is_expired_for_all(event) {
            Suppression::Expired.count(self.metrics);
            return Ok(BTreeSet::new());
        }
        // Vertices and nonces.
        let mut pending = BTreeMap::new();
        let waits_for = loop {
            let Some(waits_for) = self.evaluate(event).await? else {
                Suppression::Withdrawn.count(self.metrics);
                inbox::withdraw_event(self.ports, event).await?;
                break BTreeSet::new();
            };
            let missing: Vec<_> = waits_for.iter().filter(|vertex| !pending.contains_key(*vertex)).cloned().collect();
            if missing.is_empty() {
                break waits_for;
            }
            // Store the pending event, then read the facts again. A writer of facts does both in the opposite order,
            // so one of the two sees the other's write.
            for vertex in missing {
                let nonce = self.ports.nonce()?;
                self.ports.add_pending(&PendingKey::WaitingFor(vertex.clone()), event, &nonce).await?;
                pending.insert(vertex, nonce);
            }
        };
        // Only the own ones: another process may have stored the event again, because it saw later facts.
        for (vertex, nonce) in pending.into_iter().filter(|(vertex, _)| !waits_for.contains(vertex)) {
            let stored = PendingEvent { event: event.clone(), nonce: Some(nonce) };
            self.ports.drop_pending(&PendingKey::WaitingFor(vertex), &stored).await?;
        }
        Ok(waits_for)
    }

    /// Notifies all recipients that the current facts determine. Returns the vertices whose facts are missing for the
    /// others, or `None` if the edge is gone.
    async fn evaluate(&self, event: &Event) -> Result<Option<BTreeSet<String>>, Failure> {
        let Some(facts) = self.facts(event).await? else { return Ok(None) };
        let mut waits_for = BTreeSet::new();
        for rule in event.rules() {
            let missing = match rule.resolve(event, &facts.source, &facts.target) {
                Resolution::Notify { actor, recipients: Recipients::Persons(persons) } => {
                    self.notify(event, rule, &actor, persons, None).await?
                }
                Resolution::Notify { recipients: Recipients::FollowersOf(person), .. } => {
                    self.ports.add_pending(&PendingKey::RecentBy(person), event, &self.ports.nonce()?).await?;
                    self.notify_followers(event, rule, &PagePosition::first(rule, &facts)).await?
                }
                Resolution::WaitFor(vertex) => Some(vertex),
                Resolution::NotApplicable => None,
            };
            if let Some(vertex) = missing {
                info!(event = event.id, rule = rule.id, vertex, "pending");
                waits_for.insert(vertex);
            }
        }
        Ok(Some(waits_for))
    }

    /// Processes a page after the first. If the story is hidden by now, the event becomes pending. When the story is
    /// visible again, all pages are processed again; the ledger prevents a second notification.
    async fn continue_audience(&self, event: &Event, rule: &Rule, page: &PagePosition) -> Result<(), Failure> {
        let Some(facts) = self.facts(event).await? else {
            Suppression::Withdrawn.count(self.metrics);
            inbox::withdraw_event(self.ports, event).await?;
            return Ok(());
        };
        let is_hidden = matches!(rule.resolve(event, &facts.source, &facts.target), Resolution::WaitFor(_));
        if is_hidden || self.notify_followers(event, rule, page).await?.is_some() {
            self.process(event).await?;
        }
        Ok(())
    }

    /// Decides about the cooldown, unless that is decided, and where the page ends; enqueues the next one, then notifies the
    /// followers of this page. Returns the vertex whose facts are missing.
    async fn notify_followers(
        &self,
        event: &Event,
        rule: &Rule,
        page: &PagePosition,
    ) -> Result<Option<String>, Failure> {
        if event.time_left(rule, self.ports.now()).is_none() {
            Suppression::Expired.count(self.metrics);
            return Ok(None);
        }
        let is_recipient = |(follower, registers): (String, Registers)| {
            followed_before(&registers, event.position).then_some(follower)
        };
        let Followers { followers, mut next } = self.ports.followers(&event.from, page.after.as_deref()).await?;
        let mut followers: Vec<_> = followers.into_iter().filter_map(is_recipient).collect();
        let is_suppressed = match page.is_suppressed {
            None => self.is_suppressed(event, rule, &event.from, &followers).await?,
            decided => decided,
        };
        if let Some(last) = &next {
            let last = self.end_page(event, rule, page, is_suppressed, last).await?;
            // If the page is delivered again, more followers may have joined in its range than one read returns.
            while let Some(after) = next.filter(|next| *next < last) {
                let more = self.ports.followers(&event.from, Some(&after)).await?;
                followers.extend(more.followers.into_iter().filter_map(is_recipient));
                next = more.next;
            }
            followers.retain(|follower| *follower <= last);
        }
        info!(event = event.id, rule = rule.id, page = page.number, followers = followers.len(), "follower page");
        self.notify(event, rule, &event.from, followers, is_suppressed).await
    }

    /// Ends the page at the follower `last`, unless an earlier delivery has ended it elsewhere, and enqueues the next page
    /// once. Returns the last follower of the page.
    async fn end_page(
        &self,
        event: &Event,
        rule: &Rule,
        page: &PagePosition,
        is_suppressed: Option<bool>,
        last: &str,
    ) -> Result<String, Failure> {
        let pass = page.pass(rule);
        let PageBound { last, is_enqueued } = self.ports.decide_page_bound(event, &pass, page.number, last).await?;
        if !is_enqueued && self.may_continue(&event.id, page.number) {
            let next = Continuation::FollowerPage(FollowerPage {
                event: event.clone(),
                rule: rule.id.clone(),
                after: last.clone(),
                number: page.number.saturating_add(1),
                visible_since: page.visible_since,
                is_suppressed,
            });
            self.ports.enqueue(&next).await?;
            self.ports.mark_page_enqueued(event, &pass, page.number).await?;
        }
        Ok(last)
    }

    /// Notifies `recipients`, if the edge still exists and they may see the story. Returns the vertex whose
    /// visibility excludes some of them, if one does. Decides about the cooldown, unless that is decided.
    async fn notify(
        &self,
        event: &Event,
        rule: &Rule,
        actor: &str,
        mut recipients: Vec<String>,
        is_suppressed: Option<bool>,
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
                    waits_for = (recipients.len() < total).then_some(id);
                }
                Some(Visibility::Followers | Visibility::Public) => {}
            }
        }
        let args = TemplateArgs {
            actor_name: vertex(&found, &person).name,
            source_title: facts.source.title,
            target_title: facts.target.title,
        };
        let is_suppressed = match is_suppressed {
            None => self.is_suppressed(event, rule, actor, &recipients).await?.unwrap_or_default(),
            Some(decided) => decided,
        };
        let Self { ports, metrics, .. } = *self;
        Dispatch { ports, metrics, event, rule, actor, args, is_suppressed }.send(recipients).await?;
        Ok(waits_for)
    }

    async fn is_suppressed(
        &self,
        event: &Event,
        rule: &Rule,
        actor: &str,
        recipients: &[String],
    ) -> Result<Option<bool>, Failure> {
        cooldown::is_suppressed(self.ports, self.cooldown, event, rule, actor, recipients).await
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
    fn may_continue(&self, cause: &str, number: u32) -> bool {
        let may_continue = number < MAX_TURNS;
        if !may_continue {
            error!(cause, number, "the audience has too many pages: the rest of it is not notified");
            Suppression::TooManyPages.count(self.metrics);
        }
        may_continue
    }

    async fn facts(&self, event: &Event) -> Result<Option<EdgeFacts>, Failure> {
        Ok(EdgeFacts::of(event, &self.ports.look_up(&EdgeFacts::rows(event)).await?))
    }

    fn is_expired_for_all(&self, event: &Event) -> bool {
        let now = self.ports.now();
        event.rules().all(|rule| event.time_left(rule, now).is_none())
    }
}
