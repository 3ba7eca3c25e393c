//! The table `audience`: what `push-fanout`, its only writer, keeps of the graph in order to know
//! whom a change concerns.
//!
//! ```text
//! pk                        sk               what else
//! vertex#<id>               facts            registers: name, title, visibility, added, owner#<edge>
//! followers#<person>        <follower>       registers: edge#<edge>
//! pair#<length>#<a>#<b>     facts            registers: blocks#<edge>, mutes#<edge>
//! edge#<id>                 facts            register: edge
//! vertex#<id>               waiting#<edge>   note: an event that waits for the vertex: its owner, or to
//!                                            be for others to see
//! recent#<person>           <edge>           note: a story that the person told lately
//! ```
//! Registers and notes are texts that begin with their position ([`Register`]), so that one
//! condition keeps what is older from overwriting what is newer. A row whose facts hold no more is
//! kept as a tombstone, for longer than the graph's stream can be replayed. Rows of vertices that came
//! before there were `visibility` and `added` have neither: who may see these is not known until it is
//! said anew.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    types::{AttributeValue, ReturnValue},
};
use domain::{
    graph::Position,
    push::{Event, Fact, Register, Registers, Row},
};
use function_kit::failure::Failure;
use jiff::{SignedDuration, Timestamp};

use crate::batch_get::{Attributes, batch_get};

/// Beyond Neptune's longest retention, 90 days, and two weeks in a dead-letter queue after that.
pub const KEPT: SignedDuration = SignedDuration::from_hours(24 * 120);

/// Registers are kept beside keys and bookkeeping: the prefix tells them apart.
const REGISTER: &str = "r:";
const FACTS: &str = "facts";
const WAITING: &str = "waiting#";

/// The table.
#[derive(Debug, Clone)]
pub struct AudienceTable {
    client: Client,
    name: String,
}

/// Some of a person's followers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Followers {
    /// Followers, and the edges by which they follow or followed.
    pub followers: Vec<(String, Registers)>,
    /// After whom the next page starts, if there is one.
    pub next: Option<String>,
}

/// Where events are noted that may have to be told later on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PendingKey {
    /// Until somebody is known to have told or written this vertex, and others may see it.
    WaitingFor(String),
    /// What this person told lately, for followers whose follow arrives late.
    ToldBy(String),
}

/// Some of a shelf's events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PendingPage {
    /// In no order that means anything.
    pub events: Vec<Event>,
    /// After which edge the next page starts, if there is one.
    pub next: Option<String>,
}

impl AudienceTable {
    /// The table `name`, reached by `client`.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// Writes a fact of a commit, unless something newer is known. What is known already, or was
    /// superseded, is no error.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn learn(&self, fact: &Fact, committed_at: Timestamp) -> Result<(), Failure> {
        let is_gone = fact.register.value.is_none();
        // Of each like there is an edge, and nobody asks for an old one: they do not stay.
        let passes = matches!(fact.row, Row::Edge(_));
        let expression = match (passes, is_gone) {
            (true, _) => "SET #register = :register, expires_at = :expires_at",
            (false, false) => "SET #register = :register REMOVE expires_at ADD writes :one",
            (false, true) => "SET #register = :register ADD writes :one",
        };
        let mut update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key(&fact.row)))
            .update_expression(expression)
            .condition_expression("attribute_not_exists(#register) OR #register <= :register")
            .expression_attribute_names("#register", format!("{REGISTER}{}", fact.name))
            .expression_attribute_values(":register", AttributeValue::S(fact.register.to_string()))
            .return_values(ReturnValue::AllNew);
        update = if passes {
            update.expression_attribute_values(":expires_at", expiry(committed_at))
        } else {
            update.expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
        };
        match update.send().await {
            Ok(answer) if is_gone && !passes => {
                let row = answer.attributes.unwrap_or_default();
                self.bury_if_empty(&fact.row, &row, committed_at).await
            }
            Ok(_) => Ok(()),
            Err(error) if is_refused(&error, |error| error.is_conditional_check_failed_exception()) => Ok(()),
            Err(error) => Err(Failure::aws("write a projection", error)),
        }
    }

    /// Lets a row expire in which nothing holds, unless it was written again in the meantime.
    async fn bury_if_empty(&self, row: &Row, content: &Attributes, committed_at: Timestamp) -> Result<(), Failure> {
        let is_empty = registers(content)?.values().all(|register| register.value.is_none());
        let Some(writes) = content.get("writes").filter(|_| is_empty) else { return Ok(()) };
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key(row)))
            .update_expression("SET expires_at = :expires_at")
            .condition_expression("writes = :writes")
            .expression_attribute_values(":expires_at", expiry(committed_at))
            .expression_attribute_values(":writes", writes.clone());
        match update.send().await {
            Err(error) if !is_refused(&error, |error| error.is_conditional_check_failed_exception()) => {
                Err(Failure::aws("let a projection expire", error))
            }
            _ => Ok(()),
        }
    }

    /// The registers of each of `rows`; none for a row that is not there. Strongly consistent.
    ///
    /// # Errors
    /// If DynamoDB fails, or a row is not as [`learn`](Self::learn) writes it.
    pub async fn look_up(&self, rows: &[Row]) -> Result<HashMap<Row, Registers>, Failure> {
        // DynamoDB refuses a key that stands twice.
        let by_key: BTreeMap<_, _> = rows.iter().map(|row| (key_texts(row), row)).collect();
        let mut found = HashMap::with_capacity(by_key.len());
        let keys = by_key.keys().map(|(pk, sk)| key_of(pk.clone(), sk.clone())).collect();
        for content in batch_get(&self.client, &self.name, keys, "look up projections").await? {
            if let Some(row) = by_key.get(&(text(&content, "pk")?, text(&content, "sk")?)) {
                found.insert((*row).clone(), registers(&content)?);
            }
        }
        Ok(found)
    }

    /// Up to `limit` persons who follow `person` or once did, from just after `after`, in an order
    /// that stays. Strongly consistent.
    ///
    /// # Errors
    /// If DynamoDB fails, or a row is not as [`learn`](Self::learn) writes it.
    pub async fn followers(&self, person: &str, after: Option<&str>, limit: i32) -> Result<Followers, Failure> {
        let (rows, next) = self.page(format!("followers#{person}"), "", after, limit).await?;
        let follower = |row: &Attributes| Ok((text(row, "sk")?, registers(row)?));
        Ok(Followers { followers: rows.iter().map(follower).collect::<Result<_, Failure>>()?, next })
    }

    /// Puts an event on a shelf, until no rule would tell of it any more.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn add_pending(&self, pending_key: &PendingKey, event: &Event) -> Result<(), Failure> {
        let json = serde_json::to_string(event).map_err(|error| Failure::bug("note an event", error))?;
        let (pk, sk) = pending_key.key(&event.edge);
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(key_of(pk, sk)))
            .item("note", AttributeValue::S(Register::holds(event.position, json).to_string()))
            .item("expires_at", AttributeValue::N(event.expires_at().as_second().to_string()))
            .condition_expression("attribute_not_exists(note) OR note <= :note")
            .expression_attribute_values(":note", AttributeValue::S(Register::tombstone(event.position).to_string()));
        match put.send().await {
            Err(error) if !is_refused(&error, |error| error.is_conditional_check_failed_exception()) => {
                Err(Failure::aws("note an event", error))
            }
            _ => Ok(()),
        }
    }

    /// Up to `limit` events on a shelf, from just after the edge `after`. Strongly consistent.
    ///
    /// # Errors
    /// If DynamoDB fails, or a note is not as [`add_pending`](Self::add_pending) writes it.
    pub async fn pending_page(
        &self,
        pending_key: &PendingKey,
        after: Option<&str>,
        limit: i32,
    ) -> Result<PendingPage, Failure> {
        let (pk, prefix) = pending_key.key("");
        let (rows, next) = self.page(pk, &prefix, after, limit).await?;
        let event = |row: &Attributes| {
            let pending: Option<Register> = text(row, "note")?.parse().ok();
            let json = pending.and_then(|pending| pending.value).ok_or_else(|| broken("a note without a position"))?;
            serde_json::from_str(&json).map_err(|error| Failure::bug("read a note", error))
        };
        Ok(PendingPage { events: rows.iter().map(event).collect::<Result<_, Failure>>()?, next })
    }

    /// Takes the event of `edge` off a shelf, if it is of `position` or older.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn remove_pending(
        &self,
        pending_key: &PendingKey,
        edge: &str,
        position: Position,
    ) -> Result<(), Failure> {
        let (pk, sk) = pending_key.key(edge);
        let delete = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(key_of(pk, sk)))
            // A tombstone comes after all that holds at its position.
            .condition_expression("note <= :note")
            .expression_attribute_values(":note", AttributeValue::S(Register::tombstone(position).to_string()));
        match delete.send().await {
            Err(error) if !is_refused(&error, |error| error.is_conditional_check_failed_exception()) => {
                Err(Failure::aws("drop a note", error))
            }
            _ => Ok(()),
        }
    }

    /// Up to `limit` rows of a partition whose sort keys begin with `prefix`, and after which of
    /// them, without the prefix, the next page starts.
    async fn page(
        &self,
        pk: String,
        prefix: &str,
        after: Option<&str>,
        limit: i32,
    ) -> Result<(Vec<Attributes>, Option<String>), Failure> {
        let start = after.map(|after| key_of(pk.clone(), format!("{prefix}{after}")));
        let mut query = self
            .client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .limit(limit)
            .set_exclusive_start_key(start)
            .expression_attribute_values(":pk", AttributeValue::S(pk));
        query = if prefix.is_empty() {
            query.key_condition_expression("pk = :pk")
        } else {
            query
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
        };
        let answer = query.send().await.map_err(|error| Failure::aws("page through projections", error))?;
        let last = answer.last_evaluated_key.map(|key| text(&key, "sk")).transpose()?;
        let next = last.and_then(|last| last.strip_prefix(prefix).map(str::to_owned));
        Ok((answer.items.unwrap_or_default(), next))
    }
}

impl PendingKey {
    /// Partition and sort key of the note of `edge`.
    fn key(&self, edge: &str) -> (String, String) {
        match self {
            Self::WaitingFor(vertex) => (format!("vertex#{vertex}"), format!("{WAITING}{edge}")),
            Self::ToldBy(person) => (format!("recent#{person}"), edge.to_owned()),
        }
    }
}

fn key_texts(row: &Row) -> (String, String) {
    match row {
        Row::Vertex(id) => (format!("vertex#{id}"), FACTS.to_owned()),
        Row::Follower { of, follower } => (format!("followers#{of}"), follower.clone()),
        Row::Between(pair) => {
            let (a, b) = pair.persons();
            // The length keeps pairs apart whose ids have a # in them.
            (format!("pair#{}#{a}#{b}", a.len()), FACTS.to_owned())
        }
        Row::Edge(id) => (format!("edge#{id}"), FACTS.to_owned()),
    }
}

fn key(row: &Row) -> Attributes {
    let (pk, sk) = key_texts(row);
    key_of(pk, sk)
}

fn key_of(pk: String, sk: String) -> Attributes {
    HashMap::from([("pk".to_owned(), AttributeValue::S(pk)), ("sk".to_owned(), AttributeValue::S(sk))])
}

/// When a fact of a commit need not be kept any more, if it holds no more.
fn expiry(committed_at: Timestamp) -> AttributeValue {
    let at = committed_at.checked_add(KEPT).unwrap_or(Timestamp::MAX);
    AttributeValue::N(at.as_second().to_string())
}

fn registers(row: &Attributes) -> Result<Registers, Failure> {
    let named = row.iter().filter_map(|(name, value)| Some((name.strip_prefix(REGISTER)?, value)));
    named
        .map(|(name, value)| {
            let register = value.as_s().ok().and_then(|text| text.parse().ok());
            Ok((name.to_owned(), register.ok_or_else(|| broken("an attribute that is no register"))?))
        })
        .collect()
}

fn text(row: &Attributes, name: &str) -> Result<String, Failure> {
    let text = row.get(name).and_then(|value| value.as_s().ok()).cloned();
    text.ok_or_else(|| broken("a row without an attribute that all have"))
}

fn broken(how: &'static str) -> Failure {
    Failure::bug("read a row of the audience", how)
}

fn is_refused<E, R>(error: &SdkError<E, R>, is_condition: impl Fn(&E) -> bool) -> bool {
    matches!(error, SdkError::ServiceError(error) if is_condition(error.err()))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{
        operation::{
            batch_get_item::BatchGetItemOutput,
            delete_item::{DeleteItemError, DeleteItemOutput},
            put_item::PutItemOutput,
            query::QueryOutput,
            update_item::{UpdateItemError, UpdateItemOutput},
        },
        types::{KeysAndAttributes, error::ConditionalCheckFailedException},
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use domain::push::Pair;
    use function_kit::failure::Kind;
    use proptest::prelude::*;

    use super::*;

    fn table(rules: &[&Rule]) -> AudienceTable {
        AudienceTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules), "audience".to_owned())
    }

    fn at() -> Timestamp {
        "2026-11-22T00:00:00Z".parse().expect("a time")
    }

    fn s(text: &str) -> AttributeValue {
        AttributeValue::S(text.to_owned())
    }

    fn fact(row: Row, name: &str, value: Option<&str>) -> Fact {
        let register = Register { position: Position::new(7, 1), value: value.map(str::to_owned) };
        Fact { row, name: name.to_owned(), register }
    }

    fn follower() -> Row {
        Row::Follower { of: "mina".into(), follower: "jun".into() }
    }

    fn value<'a>(values: Option<&'a Attributes>, name: &str) -> Option<&'a str> {
        match values?.get(name)? {
            AttributeValue::S(text) | AttributeValue::N(text) => Some(text),
            _ => None,
        }
    }

    fn event() -> Event {
        Event {
            id: "main/7/1".into(),
            position: Position::new(7, 1),
            committed_at: at(),
            edge: "e1".into(),
            label: "likes".into(),
            from: "jun".into(),
            to: "s1".into(),
        }
    }

    #[tokio::test]
    async fn only_what_is_newer_is_written() {
        let update = mock!(Client::update_item)
            .match_requests(|request| {
                let values = request.expression_attribute_values();
                value(request.key(), "pk") == Some("followers#mina")
                    && value(request.key(), "sk") == Some("jun")
                    && request.condition_expression()
                        == Some("attribute_not_exists(#register) OR #register <= :register")
                    && request.update_expression()
                        == Some("SET #register = :register REMOVE expires_at ADD writes :one")
                    && request.expression_attribute_names().and_then(|names| names.get("#register"))
                        == Some(&"r:edge#e1".to_owned())
                    && value(values, ":register") == Some("00000000000000000007.00000000000000000001+")
            })
            .sequence()
            .output(|| UpdateItemOutput::builder().build())
            .error(|| {
                UpdateItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build())
            })
            .build();
        let table = table(&[&update]);
        let fact = fact(follower(), "edge#e1", Some(""));
        table.learn(&fact, at()).await.expect("written");
        table.learn(&fact, at()).await.expect("superseded");
        assert_eq!(update.num_calls(), 2);
    }

    #[tokio::test]
    async fn a_row_in_which_nothing_holds_expires_if_nobody_writes_it() {
        let tombstone = Register::tombstone(Position::new(7, 1)).to_string();
        let emptied = mock!(Client::update_item)
            .match_requests(|request| request.update_expression() == Some("SET #register = :register ADD writes :one"))
            .then_output(move || {
                let content = [("r:edge#e1", s(&tombstone)), ("writes", AttributeValue::N("2".into())), ("pk", s("p"))];
                let content = content.map(|(name, value)| (name.to_owned(), value));
                UpdateItemOutput::builder().set_attributes(Some(content.into())).build()
            });
        let expiring = mock!(Client::update_item)
            .match_requests(|request| {
                request.condition_expression() == Some("writes = :writes")
                    && value(request.expression_attribute_values(), ":writes") == Some("2")
                    // 120 days after the commit.
                    && value(request.expression_attribute_values(), ":expires_at") == Some("1805673600")
            })
            .then_output(|| UpdateItemOutput::builder().build());
        table(&[&emptied, &expiring]).learn(&fact(follower(), "edge#e1", None), at()).await.expect("written");
        assert_eq!(expiring.num_calls(), 1);
    }

    #[tokio::test]
    async fn a_row_in_which_something_holds_stays() {
        let holds = Register::holds(Position::new(3, 1), "").to_string();
        let update = mock!(Client::update_item).then_output(move || {
            let content = [("r:edge#e0", s(&holds)), ("writes", AttributeValue::N("2".into()))];
            let content = content.map(|(name, value)| (name.to_owned(), value));
            UpdateItemOutput::builder().set_attributes(Some(content.into())).build()
        });
        table(&[&update]).learn(&fact(follower(), "edge#e1", None), at()).await.expect("written");
        assert_eq!(update.num_calls(), 1);
    }

    #[tokio::test]
    async fn an_edge_expires_in_any_case() {
        let update = mock!(Client::update_item)
            .match_requests(|request| {
                request.update_expression() == Some("SET #register = :register, expires_at = :expires_at")
            })
            .sequence()
            .output(|| UpdateItemOutput::builder().build())
            .output(|| UpdateItemOutput::builder().build())
            .build();
        let table = table(&[&update]);
        for value in [Some("likes"), None] {
            table.learn(&fact(Row::Edge("e1".into()), "edge", value), at()).await.expect("written");
        }
        assert_eq!(update.num_calls(), 2);
    }

    #[tokio::test]
    async fn rows_are_looked_up_together_until_none_is_left_out() {
        let (vertex, pair) = (Row::Vertex("s1".into()), Row::Between(Pair::of("mina", "jun")));
        let title = Register::holds(Position::new(1, 1), "첫눈").to_string();
        let found = move |pk: &str| {
            let content = [("pk", s(pk)), ("sk", s("facts")), ("r:title", s(&title))];
            vec![content.map(|(name, value)| (name.to_owned(), value)).into()]
        };
        let again = found.clone();
        let get = mock!(Client::batch_get_item)
            .match_requests(|request| {
                let asked = request.request_items().and_then(|items| items.get("audience"));
                asked.is_some_and(|asked| asked.consistent_read() == Some(true))
            })
            .sequence()
            .output(move || {
                let left = KeysAndAttributes::builder().keys(key(&Row::Between(Pair::of("mina", "jun"))));
                BatchGetItemOutput::builder()
                    .responses("audience", found("vertex#s1"))
                    .unprocessed_keys("audience", left.consistent_read(true).build().expect("keys"))
                    .build()
            })
            .output(move || BatchGetItemOutput::builder().responses("audience", again("pair#3#jun#mina")).build())
            .build();
        let rows = [vertex.clone(), pair.clone(), vertex.clone()];
        let found = table(&[&get]).look_up(&rows).await.expect("rows");
        assert_eq!(found.len(), 2);
        assert_eq!(found[&vertex]["title"].value.as_deref(), Some("첫눈"));
        assert!(found.contains_key(&pair));
    }

    #[tokio::test]
    async fn a_page_of_followers_says_where_the_next_one_starts() {
        let query = mock!(Client::query)
            .match_requests(|request| {
                value(request.exclusive_start_key(), "sk") == Some("hana")
                    && request.consistent_read() == Some(true)
                    && request.limit() == Some(2)
            })
            .then_output(|| {
                let row = |sk: &str| {
                    let holds = Register::holds(Position::new(3, 1), "").to_string();
                    Attributes::from([("sk".to_owned(), s(sk)), ("r:edge#e".to_owned(), s(&holds))])
                };
                let last = key_of("followers#mina".to_owned(), "sora".to_owned());
                QueryOutput::builder().items(row("jun")).items(row("sora")).set_last_evaluated_key(Some(last)).build()
            });
        let page = table(&[&query]).followers("mina", Some("hana"), 2).await.expect("a page");
        assert_eq!(page.followers.iter().map(|(follower, _)| follower.as_str()).collect::<Vec<_>>(), ["jun", "sora"]);
        assert_eq!(page.next.as_deref(), Some("sora"));
    }

    #[tokio::test]
    async fn a_note_survives_its_row_and_goes_when_its_edge_does() {
        let pending_key = PendingKey::WaitingFor("s1".into());
        let put = mock!(Client::put_item)
            .match_requests(|request| {
                let pending = value(request.item(), "note").unwrap_or_default();
                value(request.item(), "pk") == Some("vertex#s1")
                    && value(request.item(), "sk") == Some("waiting#e1")
                    && pending.starts_with("00000000000000000007.00000000000000000001+{")
                    && value(request.item(), "expires_at") == Some("1795392000")
                    && request.condition_expression() == Some("attribute_not_exists(note) OR note <= :note")
            })
            .then_output(|| PutItemOutput::builder().build());
        table(&[&put]).add_pending(&pending_key, &event()).await.expect("noted");

        let json = serde_json::to_string(&event()).expect("JSON");
        let query = mock!(Client::query)
            .match_requests(|request| value(request.expression_attribute_values(), ":prefix") == Some("waiting#"))
            .then_output(move || {
                let pending = Register::holds(Position::new(7, 1), json.clone()).to_string();
                QueryOutput::builder().items(Attributes::from([("note".to_owned(), s(&pending))])).build()
            });
        let pending_page = table(&[&query]).pending_page(&pending_key, None, 10).await.expect("notes");
        assert_eq!(pending_page, PendingPage { events: vec![event()], next: None });

        let delete = mock!(Client::delete_item)
            .match_requests(|request| {
                request.condition_expression() == Some("note <= :note")
                    && value(request.expression_attribute_values(), ":note")
                        == Some("00000000000000000009.00000000000000000001-")
            })
            .sequence()
            .output(|| DeleteItemOutput::builder().build())
            .error(|| {
                DeleteItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build())
            })
            .build();
        let table = table(&[&delete]);
        for _ in 0..2 {
            table.remove_pending(&pending_key, "e1", Position::new(9, 1)).await.expect("dropped, or not there");
        }
    }

    #[tokio::test]
    async fn a_row_that_nobody_wrote_is_a_bug() {
        let query = mock!(Client::query).then_output(|| {
            let row = Attributes::from([("sk".to_owned(), s("jun")), ("r:edge#e".to_owned(), s("yes"))]);
            QueryOutput::builder().items(row).build()
        });
        let failure = table(&[&query]).followers("mina", None, 2).await.expect_err("a failure");
        assert_eq!(failure.kind, Kind::Bug);
    }

    proptest! {
        #[test]
        fn a_damaged_row_is_read_or_a_bug(row in crate::testing::damaged(HashMap::from([
            ("pk".to_owned(), AttributeValue::S("vertex#v1".to_owned())),
            ("sk".to_owned(), AttributeValue::S("facts".to_owned())),
            (format!("{REGISTER}owner"), AttributeValue::S(Register::holds(Position::new(7, 1), "mina").to_string())),
        ]))) {
            for failure in [registers(&row).err(), text(&row, "sk").err()].into_iter().flatten() {
                prop_assert_eq!(failure.kind, Kind::Bug);
            }
        }
    }
}
