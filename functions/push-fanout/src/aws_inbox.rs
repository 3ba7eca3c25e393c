use domain::{
    graph::GenerationPosition,
    push::{Event, InboxEntry, Row, Rule, edge_still_exists, rules},
};
use function_kit::failure::Failure;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use store::inbox::Holder;

use crate::{
    aws::Aws,
    inbox::holder,
    ports::{Inbox, Projections, Runtime},
};

/// Number of calls for one batch in parallel.
const PARALLEL_CALLS: usize = 8;
/// Unread notifications above this number are not counted.
const MAX_UNREAD: u32 = 100;

impl Inbox for Aws {
    async fn add_to_inboxes(
        &self,
        recipients: &[&str],
        rule: &Rule,
        event: &Event,
        actor: &str,
    ) -> Vec<Result<(), Failure>> {
        let entry = InboxEntry::of(event, actor, self.now());
        let holders: Vec<_> =
            recipients.iter().map(|recipient| holder(rule, &event.from, &event.to, recipient)).collect();
        // Followers are found in `audience`; a row for each of them would burden one partition. An event of the service is
        // no edge that could be removed.
        if rules::targets_followers(rule) || rules::is_of_service(rule) {
            let added = self.inbox.add_all(&holders, &entry).await;
            return added.into_iter().map(|added| added.map(drop)).collect();
        }
        let add = |holder| self.add_unless_withdrawn(holder, event, &entry);
        stream::iter(&holders).map(add).buffered(PARALLEL_CALLS).collect().await
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

    async fn unread(&self, users: &[&str]) -> Vec<Result<u32, Failure>> {
        let mut marks = match self.read_marks.get_many(users).await {
            Ok(marks) => marks,
            Err(failure) => return users.iter().map(|_| Err(copy(&failure))).collect(),
        };
        let now = self.now();
        let marked: Vec<_> = users.iter().map(|user| (*user, marks.remove(*user).transpose())).collect();
        let count = async |(user, mark): (&str, Result<Option<Timestamp>, Failure>)| {
            self.inbox.count_unread(user, mark?, now, MAX_UNREAD).await
        };
        stream::iter(marked).map(count).buffered(PARALLEL_CALLS).collect().await
    }
}

/// The failure of a call for many users, for one of them.
fn copy(failure: &Failure) -> Failure {
    let mut copy = Failure::transient("count unread notifications", failure.to_string());
    copy.kind = failure.kind;
    copy
}

impl Aws {
    async fn add_unless_withdrawn(&self, holder: &Holder, event: &Event, entry: &InboxEntry) -> Result<(), Failure> {
        self.inbox.add_holder(&event.edge, holder, self.now()).await?;
        // A removal that did not find the holder was projected before.
        if !self.edge_exists(event).await? {
            return Ok(());
        }
        self.inbox.add_unless_withdrawn(holder, entry).await.map(drop)
    }
}
