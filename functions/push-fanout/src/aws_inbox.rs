use domain::{
    graph::GenerationPosition,
    push::{Event, InboxEntry, Rule, rules},
};
use function_kit::failure::Failure;
use store::inbox::Holder;

use crate::{
    aws::Aws,
    inbox::holder,
    ports::{Inbox, Runtime},
};

/// Unread notifications above this number are not counted.
const MAX_UNREAD: u32 = 100;

impl Inbox for Aws {
    async fn add_to_inbox(&self, recipient: &str, rule: &Rule, event: &Event, actor: &str) -> Result<(), Failure> {
        let (now, holder) = (self.now(), holder(rule, &event.from, &event.to, recipient));
        // Followers are found in `audience`; a row for each of them would burden one partition.
        if !rules::targets_followers(rule) {
            self.inbox.add_holder(&event.edge, &holder, now).await?;
        }
        self.inbox.add(recipient, &rule.id, &holder.group, &InboxEntry::of(event, actor, now)).await.map(drop)
    }

    async fn remove_from_inbox(
        &self,
        holder: &Holder,
        edge: &str,
        position: GenerationPosition,
    ) -> Result<(), Failure> {
        let Holder { recipient, rule, group } = holder;
        self.inbox.change(recipient, rule, group, |group| group.remove(edge, position)).await?;
        let targets_followers = rules::by_id(rule).is_some_and(rules::targets_followers);
        if targets_followers { Ok(()) } else { self.inbox.remove_holder(edge, holder).await }
    }

    async fn inbox_holders(&self, edge: &str) -> Result<Vec<Holder>, Failure> {
        self.inbox.holders(edge).await
    }

    async fn unread(&self, user: &str) -> Result<u32, Failure> {
        let read_through = self.read_marks.get(user).await?;
        self.inbox.count_unread(user, read_through, self.now(), MAX_UNREAD).await
    }
}
