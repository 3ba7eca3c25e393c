//! Notifies the followers of a person page by page. A page continues as a message in the function's own queue.

use domain::{
    graph::GenerationPosition,
    push::{Event, Registers, Rule, followed_before},
};
use function_kit::failure::Failure;
use store::{audience::Followers, ledger::PageBound};
use tracing::info;

use crate::{
    edge_facts::EdgeFacts,
    message::{Continuation, FollowerPage},
    notify::Notifier,
    ports::Ports,
    suppression::Suppression,
};

/// Position in the audience of an event.
pub struct PagePosition {
    /// The follower before the page.
    pub after: Option<String>,
    /// Number of the page, from 0.
    pub number: u32,
    /// Position since which the story is visible. When a hidden story becomes visible again, all pages are processed
    /// again.
    pub visible_since: Option<GenerationPosition>,
    /// Id of the event that holds the cooldown; `None` until the first page with recipients has decided that.
    pub cooldown_holder: Option<String>,
}

impl PagePosition {
    /// The first page of an event.
    pub fn first(rule: &Rule, facts: &EdgeFacts) -> Self {
        let visibility = rule.discloses().and_then(|end| end.of(&facts.source, &facts.target).visibility);
        Self {
            after: None,
            number: 0,
            visible_since: visibility.map(|visibility| visibility.since),
            cooldown_holder: None,
        }
    }

    /// Name in the ledger of one pass over the audience.
    fn pass(&self, rule: &Rule) -> String {
        self.visible_since.map_or_else(|| rule.id.clone(), |since| format!("{}@{since}", rule.id))
    }
}

impl<P: Ports> Notifier<'_, P> {
    /// Determines the cooldown, unless that is done, and where the page ends; enqueues the next one, then notifies the
    /// followers of this page. Returns the vertex whose facts are missing.
    pub async fn notify_followers(
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
        let holder = match &page.cooldown_holder {
            None if followers.is_empty() => None,
            None => Some(self.cooldown_holder(event, rule).await?),
            decided => decided.clone(),
        };
        if let Some(last) = &next {
            let last = self.end_page(event, rule, page, holder.as_deref(), last).await?;
            // If the page is delivered again, more followers may have joined in its range than one read returns.
            while let Some(after) = next.filter(|next| *next < last) {
                let more = self.ports.followers(&event.from, Some(&after)).await?;
                followers.extend(more.followers.into_iter().filter_map(is_recipient));
                next = more.next;
            }
            followers.retain(|follower| *follower <= last);
        }
        info!(event = event.id, rule = rule.id, page = page.number, followers = followers.len(), "follower page");
        self.notify(event, rule, &event.from, followers, holder).await
    }

    /// Ends the page at the follower `last`, unless an earlier delivery has ended it elsewhere, and enqueues the next page
    /// once. Returns the last follower of the page.
    async fn end_page(
        &self,
        event: &Event,
        rule: &Rule,
        page: &PagePosition,
        cooldown_holder: Option<&str>,
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
                cooldown_holder: cooldown_holder.map(str::to_owned),
            });
            self.ports.enqueue(&next).await?;
            self.ports.mark_page_enqueued(event, &pass, page.number).await?;
        }
        Ok(last)
    }
}
