//! Messages of `push.fifo`: changes of the graph, and this function's own continuations.

use std::borrow::Cow;

use domain::{
    account::NotificationErasure,
    export::ExportReady,
    graph::{Change, GenerationPosition, ReceivedChange},
    push::Event,
};
use function_kit::failure::Failure;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Parsed message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// From the event bus.
    Change(Box<ReceivedChange>),
    /// From this function.
    Continuation(Box<Continuation>),
    /// From `export-worker`.
    ExportReady(ExportReady),
}

/// Rest of the work of a message, from where it continues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type")]
pub enum Continuation {
    /// The next page of followers to notify of an event.
    #[serde(rename = "app.iyagi.push.page")]
    FollowerPage(FollowerPage),
    /// The next page of pending events of a vertex.
    #[serde(rename = "app.iyagi.push.waiting")]
    PendingEvents(PendingEvents),
    /// The next page of followers from whose inboxes a story disappears.
    #[serde(rename = "app.iyagi.push.withdrawal")]
    InboxWithdrawal(InboxWithdrawal),
    /// A page of the tables from which an account is erased. The first is from `account-api`.
    #[serde(untagged)]
    Erasure(NotificationErasure),
}

/// The most continuations that one change causes, one after the other. With pages of 500 followers they reach ten million.
/// Lambda's own detection of loops is off for this function, because it would stop after 16.
pub const MAX_TURNS: u32 = 20_000;

/// Page of an event's audience.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowerPage {
    pub event: Event,
    /// Id of the notification rule.
    pub rule: String,
    /// Last follower of the page before.
    pub after: String,
    /// Number of the page. Page 0 is never queued: it belongs to the change itself.
    pub number: u32,
    /// Position since which the story is visible, if the rule checks visibility.
    #[serde(default, rename = "shown", skip_serializing_if = "Option::is_none")]
    pub visible_since: Option<GenerationPosition>,
    /// Id of the event that holds the cooldown. Decided on the first page with recipients; `None` until then, and from the
    /// version before.
    #[serde(default, rename = "cooldown", skip_serializing_if = "Option::is_none")]
    pub cooldown_holder: Option<String>,
}

/// Page of the events that wait for facts about a vertex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingEvents {
    /// Id of the vertex.
    pub vertex: String,
    /// Id of the change that added a fact about the vertex.
    pub cause: String,
    /// Edge of the last event of the page before.
    pub after: String,
    /// Number of the page, from 1. The version before did not count.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub number: u32,
}

/// Page of the followers from whose inboxes the entry of a removed edge disappears.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxWithdrawal {
    /// Id of the edge.
    pub edge: String,
    /// Position at which it was removed.
    pub position: GenerationPosition,
    /// Id of the notification rule.
    pub rule: String,
    /// The edge's source, whose followers were notified.
    pub source: String,
    /// The edge's target.
    pub target: String,
    /// Last follower of the page before; `None` on page 0, which is never queued.
    pub after: Option<String>,
    /// Number of the page.
    pub number: u32,
    /// The event's page that was delivered again and found the edge removed. Each may have added entries after the pages of
    /// another withdrawal had passed. `None` if a change found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found_by: Option<FoundBy>,
}

/// A page of an event's audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundBy {
    /// Number of the page.
    pub number: u32,
    /// Position since which the story is visible, as in [`FollowerPage`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visible_since: Option<GenerationPosition>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Message {
    /// Parses a message's body.
    ///
    /// # Errors
    /// A bug, if the body is none of them.
    pub fn parse(body: &str) -> Result<Self, Failure> {
        const DOING: &str = "read the message";
        #[derive(Deserialize)]
        struct Head<'a> {
            #[serde(borrow, rename = "type")]
            kind: Cow<'a, str>,
        }
        let bug = |error| Failure::bug(DOING, error);
        let continuation = match &*serde_json::from_str::<Head<'_>>(body).map_err(bug)?.kind {
            "app.iyagi.push.page" => serde_json::from_str(body).map(Continuation::FollowerPage).map_err(bug)?,
            "app.iyagi.push.waiting" => serde_json::from_str(body).map(Continuation::PendingEvents).map_err(bug)?,
            "app.iyagi.push.export_ready" => {
                return serde_json::from_str(body).map(Self::ExportReady).map_err(bug);
            }
            "app.iyagi.push.erasure" => serde_json::from_str(body).map(Continuation::Erasure).map_err(bug)?,
            "app.iyagi.push.withdrawal" => {
                serde_json::from_str(body).map(Continuation::InboxWithdrawal).map_err(bug)?
            }
            _ => {
                let received = Change::from_cloud_event(body).map_err(|error| Failure::bug(DOING, error))?;
                return Ok(Self::Change(Box::new(received)));
            }
        };
        Ok(Self::Continuation(Box::new(continuation)))
    }
}

impl Continuation {
    /// FIFO group and deduplication id. SQS delivers one batch of a group at a time, so each continuation has a group
    /// of its own: pages are to run in parallel.
    pub fn id(&self) -> String {
        let name = match self {
            // `after` is decided once by this version. The version before may have queued the page with another one.
            Self::FollowerPage(FollowerPage { event, rule, after, number, visible_since, cooldown_holder: _ }) => {
                let suffix = visible_since.map(|position| format!("\n{position}")).unwrap_or_default();
                format!("page\n{rule}\n{}\n{number}\n{after}{suffix}", event.id)
            }
            Self::PendingEvents(PendingEvents { vertex, cause, after, .. }) => {
                format!("waiting\n{vertex}\n{cause}\n{after}")
            }
            Self::Erasure(NotificationErasure { erasure, table, after, .. }) => {
                let after = after.as_deref().unwrap_or_default().join("\n");
                format!("erasure\n{}\n{}\n{table:?}\n{after}", erasure.user, erasure.done)
            }
            Self::InboxWithdrawal(InboxWithdrawal { edge, position, rule, after, found_by, .. }) => {
                let after = after.as_deref().unwrap_or_default();
                let found_by = found_by.map(|page| {
                    let pass = page.visible_since.map(|position| position.to_string()).unwrap_or_default();
                    format!("\n{}\n{pass}", page.number)
                });
                format!("withdrawal\n{rule}\n{edge}\n{position}\n{after}{}", found_by.unwrap_or_default())
            }
        };
        format!("sha256:{:x}", Sha256::digest(name))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::{account::Erasure, graph::Position};
    use function_kit::failure::Kind;
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn page(number: u32, visible_since: Option<GenerationPosition>) -> Continuation {
        let event = Event {
            id: "main/7/1".into(),
            position: Position::new(7, 1).into(),
            committed_at: Timestamp::UNIX_EPOCH,
            edge: "e1".into(),
            label: "told".into(),
            from: "미나".into(),
            to: "s1".into(),
        };
        let (rule, after) = ("story".into(), "jun".into());
        Continuation::FollowerPage(FollowerPage {
            event,
            rule,
            after,
            number,
            visible_since,
            cooldown_holder: (number > 1).then(|| "main/3/1".into()),
        })
    }

    fn withdrawal(found_by: Option<FoundBy>) -> Continuation {
        Continuation::InboxWithdrawal(InboxWithdrawal {
            edge: "e1".into(),
            position: Position::new(9, 1).into(),
            rule: "story".into(),
            source: "mina".into(),
            target: "s1".into(),
            after: Some("jun".into()),
            number: 1,
            found_by,
        })
    }

    #[test]
    fn withdrawals_that_different_pages_begin_are_different_messages() {
        let visible_since = Some(Position::new(8, 1).into());
        let pages = [
            None,
            Some(FoundBy { number: 1, visible_since: None }),
            Some(FoundBy { number: 2, visible_since: None }),
            Some(FoundBy { number: 1, visible_since }),
        ];
        let ids: BTreeSet<_> = pages.map(|page| withdrawal(page).id()).into();
        assert_eq!(ids.len(), pages.len());
        assert_eq!(withdrawal(pages[3]).id(), withdrawal(pages[3]).id());
    }

    #[test]
    fn continuation_serialized_parses_unchanged() {
        let pending = PendingEvents { vertex: "s1".into(), cause: "main/8/1".into(), after: "e1".into(), number: 3 };
        let found_by = FoundBy { number: 2, visible_since: Some(Position::new(8, 1).into()) };
        let erasure = NotificationErasure::start(Erasure::start("mina", "m", Timestamp::UNIX_EPOCH));
        let others = [Continuation::PendingEvents(pending), withdrawal(Some(found_by)), Continuation::Erasure(erasure)];
        let pages = [page(1, None), page(1, Some(Position::new(9, 1).into())), page(2, None)];
        for continuation in pages.into_iter().chain(others) {
            let body = serde_json::to_string(&continuation).expect("JSON");
            let parsed = Message::parse(&body).expect("a message");
            assert_eq!(parsed, Message::Continuation(Box::new(continuation)));
        }
    }

    #[test]
    fn continuations_of_different_pages_have_different_groups() {
        assert_ne!(page(1, None).id(), page(2, None).id());
        assert_eq!(page(1, None).id(), page(1, None).id());
        assert_ne!(page(1, Some(Position::new(9, 1).into())).id(), page(1, None).id());
        assert!(page(1, None).id().len() <= 128);
    }

    #[test]
    fn unknown_message_is_a_bug() {
        for body in
            ["", "{}", "not JSON", r#"{"type":"app.iyagi.push.page"}"#, r#"{"type":"app.iyagi.graph.edge.added"}"#]
        {
            assert_eq!(Message::parse(body).expect_err("a failure").kind, Kind::Bug, "{body}");
        }
    }

    #[test]
    fn continuation_of_previous_version_is_read_and_written_unchanged() {
        for body in [
            include_str!("../tests/fixtures/previous_version/page.json"),
            include_str!("../tests/fixtures/previous_version/page_of_a_story_shown_again.json"),
            include_str!("../tests/fixtures/previous_version/waiting.json"),
        ] {
            let Message::Continuation(continuation) = Message::parse(body).expect("a message") else {
                panic!("a change: {body}")
            };
            assert_eq!(serde_json::to_string(&continuation).expect("JSON"), body.trim_end());
        }
    }

    proptest! {
        #[test]
        fn malformed_message_is_parsed_or_a_bug(
            text in malformed_inputs::documents(&[
                r#"{"type":"app.iyagi.push.page","event":{"id":"main/7/1","position":"7/1","committed_at":"2026-11-22T00:00:00Z","edge":"e1","label":"told","from":"m","to":"s1"},"rule":"story","after":"jun","number":1}"#,
                r#"{"type":"app.iyagi.push.waiting","vertex":"s1","cause":"main/8/1","after":"e1"}"#,
                r#"{"type":"app.iyagi.push.export_ready","user":"mina","id":"e1","ready_at":"2026-11-22T00:00:00Z"}"#,
                r#"{"type":"app.iyagi.push.withdrawal","edge":"e1","position":"9/1","rule":"story","source":"m","target":"s1","after":"jun","number":1}"#,
            ]),
        ) {
            match Message::parse(&text) {
                Ok(Message::Continuation(continuation)) => {
                    let body = serde_json::to_string(&continuation).expect("JSON");
                    prop_assert_eq!(Message::parse(&body).expect("a message"), Message::Continuation(continuation));
                }
                Ok(Message::ExportReady(ready)) => {
                    let body = serde_json::to_string(&ready).expect("JSON");
                    prop_assert_eq!(Message::parse(&body).expect("a message"), Message::ExportReady(ready));
                }
                Ok(Message::Change(_)) => prop_assert!(false, "a continuation was parsed as a change"),
                Err(failure) => prop_assert_eq!(failure.kind, Kind::Bug),
            }
        }
    }
}
