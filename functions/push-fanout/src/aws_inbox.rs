use domain::{
    graph::GenerationPosition,
    push::{Event, InboxEntry, Row, Rule, edge_still_exists, rules},
};
use function_kit::failure::Failure;
use store::inbox::Holder;

use crate::{
    aws::Aws,
    inbox::holder,
    ports::{Inbox, Projections, Runtime},
};

/// Unread notifications above this number are not counted.
const MAX_UNREAD: u32 = 100;

impl Inbox for Aws {
    async fn add_to_inbox(&self, recipient: &str, rule: &Rule, event: &Event, actor: &str) -> Result<(), Failure> {
        let (now, holder) = (self.now(), holder(rule, &event.from, &event.to, recipient));
        let entry = InboxEntry::of(event, actor, now);
        // Followers are found in `audience`; a row for each of them would burden one partition.
        if rules::targets_followers(rule) {
            return self.inbox.add(&holder, &entry).await.map(drop);
        }
        self.inbox.add_holder(&event.edge, &holder, now).await?;
        // A removal that did not find the holder was projected before.
        if !self.edge_exists(event).await? {
            return Ok(());
        }
        self.inbox.add_unless_withdrawn(&holder, &entry).await.map(drop)
    }

    async fn remove_from_inbox(
        &self,
        holder: &Holder,
        edge: &str,
        position: GenerationPosition,
    ) -> Result<(), Failure> {
        let Holder { recipient, rule, group } = holder;
        if !rules::by_id(rule).is_some_and(rules::targets_followers) {
            self.inbox.withdraw_holder(edge, holder, position).await?;
        }
        self.inbox.change(recipient, rule, group, |group| group.remove(edge, position)).await.map(drop)
    }

    async fn edge_exists(&self, event: &Event) -> Result<bool, Failure> {
        let row = Row::Edge(event.edge.clone());
        let found = self.look_up(std::slice::from_ref(&row)).await?;
        Ok(found.get(&row).is_some_and(|edge| edge_still_exists(edge, event.position)))
    }

    async fn inbox_holders(&self, edge: &str) -> Result<Vec<Holder>, Failure> {
        self.inbox.holders(edge).await
    }

    async fn unread(&self, user: &str) -> Result<u32, Failure> {
        let read_through = self.read_marks.get(user).await?;
        self.inbox.count_unread(user, read_through, self.now(), MAX_UNREAD).await
    }
}
