//! What comes over `push.fifo`: the graph's changes, and this function's own work that goes on.

use std::borrow::Cow;

use domain::{
    graph::{Change, Position, ReceivedChange},
    push::Event,
};
use function_kit::failure::Failure;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// From the bus.
    Change(Box<ReceivedChange>),
    /// From this function itself.
    Further(Box<Further>),
}

/// Work that is too much for one message, from where it goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type")]
pub enum Further {
    /// The next page of those who follow the person that an event is about.
    #[serde(rename = "app.iyagi.push.page")]
    Page(Page),
    /// The next events that waited for a vertex.
    #[serde(rename = "app.iyagi.push.waiting")]
    Waiting(Waiting),
}

/// Which page it is, and of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// What happened.
    pub event: Event,
    /// The id of the rule by which it is told.
    pub rule: String,
    /// The last follower of the page before.
    pub after: String,
    /// Counts from 0, which never comes over the queue.
    pub number: u32,
    /// Since when the story that it tells of may be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Position>,
}

/// Which events, and why they are told now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The vertex of which more is known now.
    pub vertex: String,
    /// The id of the change that told it.
    pub cause: String,
    /// The last edge of the page before.
    pub after: String,
}

impl Message {
    /// Reads a message's body.
    ///
    /// # Errors
    /// A bug, if it is neither.
    pub fn parse(body: &str) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Peek<'a> {
            #[serde(borrow, rename = "type")]
            kind: Cow<'a, str>,
        }
        let failure = |error| Failure::bug("read the message", error);
        let further = match &*serde_json::from_str::<Peek<'_>>(body).map_err(failure)?.kind {
            "app.iyagi.push.page" => serde_json::from_str(body).map(Further::Page).map_err(failure)?,
            "app.iyagi.push.waiting" => serde_json::from_str(body).map(Further::Waiting).map_err(failure)?,
            _ => {
                let received = Change::from_cloud_event(body);
                let received = received.map_err(|error| Failure::bug("read the message", error))?;
                return Ok(Self::Change(Box::new(received)));
            }
        };
        Ok(Self::Further(Box::new(further)))
    }
}

impl Further {
    /// The FIFO group, each message its own: a queue gives out no second message of a group while
    /// the first is being worked on, and pages are to overlap. Also what tells a second delivery.
    pub fn id(&self) -> String {
        let name = match self {
            Self::Page(Page { event, rule, number, shown, .. }) => {
                let shown = shown.map(|shown| format!("\n{shown}")).unwrap_or_default();
                format!("page\n{rule}\n{}\n{number}{shown}", event.id)
            }
            Self::Waiting(Waiting { vertex, cause, after }) => format!("waiting\n{vertex}\n{cause}\n{after}"),
        };
        format!("sha256:{:x}", Sha256::digest(name))
    }
}

#[cfg(test)]
mod tests {
    use function_kit::failure::Kind;
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn page(number: u32) -> Further {
        let event = Event {
            id: "main/7/1".into(),
            position: Position::new(7, 1),
            committed_at: Timestamp::UNIX_EPOCH,
            edge: "e1".into(),
            label: "told".into(),
            from: "미나".into(),
            to: "s1".into(),
        };
        Further::Page(Page { event, rule: "story".into(), after: "jun".into(), number, shown: None })
    }

    /// As it is handed on when the story is shown again.
    fn again(number: u32) -> Further {
        let Further::Page(page) = page(number) else { panic!("no page") };
        Further::Page(Page { shown: Some(Position::new(9, 1)), ..page })
    }

    #[test]
    fn continuation_of_previous_version_is_read_and_written_unchanged() {
        for body in [
            include_str!("../tests/fixtures/previous_version/page.json"),
            include_str!("../tests/fixtures/previous_version/page_of_a_story_shown_again.json"),
            include_str!("../tests/fixtures/previous_version/waiting.json"),
        ] {
            let Message::Further(further) = Message::parse(body).expect("a message") else {
                panic!("a change: {body}")
            };
            assert_eq!(serde_json::to_string(&further).expect("JSON"), body.trim_end());
        }
    }

    #[test]
    fn work_that_goes_on_survives_the_queue() {
        let waiting = Further::Waiting(Waiting { vertex: "s1".into(), cause: "main/8/1".into(), after: "e1".into() });
        for further in [page(1), again(1), waiting] {
            let body = serde_json::to_string(&further).expect("JSON");
            assert_eq!(Message::parse(&body).expect("a message"), Message::Further(Box::new(further)));
        }
    }

    #[test]
    fn each_page_has_a_group_of_its_own() {
        assert_ne!(page(1).id(), page(2).id());
        assert_eq!(page(1).id(), page(1).id());
        assert_ne!(again(1).id(), page(1).id());
        assert!(page(1).id().len() <= 128);
    }

    #[test]
    fn anything_else_is_a_bug() {
        for body in
            ["", "{}", "not JSON", r#"{"type":"app.iyagi.push.page"}"#, r#"{"type":"app.iyagi.graph.edge.added"}"#]
        {
            assert_eq!(Message::parse(body).expect_err("a failure").kind, Kind::Bug, "{body}");
        }
    }

    proptest! {
        #[test]
        fn a_damaged_message_is_read_or_a_bug(
            text in malformed_inputs::documents(&[
                r#"{"type":"app.iyagi.push.page","event":{"id":"main/7/1","position":"7/1","committed_at":"2026-11-22T00:00:00Z","edge":"e1","label":"told","from":"m","to":"s1"},"rule":"story","after":"jun","number":1}"#,
                r#"{"type":"app.iyagi.push.waiting","vertex":"s1","cause":"main/8/1","after":"e1"}"#,
            ]),
        ) {
            match Message::parse(&text) {
                Ok(Message::Further(further)) => {
                    let body = serde_json::to_string(&further).expect("JSON");
                    prop_assert_eq!(Message::parse(&body).expect("a message"), Message::Further(further));
                }
                Ok(Message::Change(_)) => prop_assert!(false, "work that goes on became a change"),
                Err(failure) => prop_assert_eq!(failure.kind, Kind::Bug),
            }
        }
    }
}
