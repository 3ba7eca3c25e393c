use domain::{
    graph::GenerationPosition,
    push::{Event, InboxEntry, Rule, rules},
};
use function_kit::failure::Failure;
use store::inbox::Holder;

use super::in_memory_backend::InMemoryBackend;
use crate::{
    inbox::holder,
    ports::{Inbox, Runtime},
};

impl Inbox for InMemoryBackend {
    async fn add_to_inboxes(
        &self,
        recipients: &[&str],
        rule: &Rule,
        event: &Event,
        actor: &str,
    ) -> Vec<Result<(), Failure>> {
        let entry = InboxEntry::of(event, actor, self.now());
        let holders = recipients.iter().map(|recipient| holder(rule, &event.from, &event.to, recipient));
        if rules::targets_followers(rule) || rules::is_of_service(rule) {
            self.call("add to inboxes").await;
            holders.clone().for_each(|holder| self.inbox.add(holder, entry.clone()));
            return holders.map(|_| Ok(())).collect();
        }
        let mut results = Vec::new();
        for holder in holders {
            self.call("add holder").await;
            self.inbox.add_holder(&event.edge, &holder);
            match self.edge_exists(event).await {
                Ok(true) => {
                    self.call("add to inbox").await;
                    self.inbox.add_unless_withdrawn(holder, entry.clone());
                    results.push(Ok(()));
                }
                other => results.push(other.map(drop)),
            }
        }
        results
    }

    async fn remove_from_inbox(
        &self,
        holder: &Holder,
        edge: &str,
        position: GenerationPosition,
    ) -> Result<(), Failure> {
        self.call("withdraw holder").await;
        self.inbox.withdraw_holder(edge, holder, position);
        self.call("remove from inbox").await;
        self.inbox.remove(holder, edge, position);
        Ok(())
    }

    async fn edge_exists(&self, event: &Event) -> Result<bool, Failure> {
        self.call("edge exists").await;
        Ok(self.edge_still_exists(event))
    }

    async fn inbox_holders(&self, edge: &str) -> Result<Vec<Holder>, Failure> {
        self.call("inbox holders").await;
        Ok(self.inbox.holders(edge))
    }

    async fn unread(&self, users: &[&str]) -> Vec<Result<u32, Failure>> {
        let count = |user: &&str| Ok(u32::try_from(self.inbox.of(user).len()).expect("a small number"));
        users.iter().map(count).collect()
    }
}
