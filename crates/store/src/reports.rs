//! The table `reports`: reports of people about media items. Its writer is `media-api`; the operator's tool closes reports,
//! `account-api` deletes those by and about erased persons.
//!
//! ```text
//! reporter   media_id   other attributes
//! <sub>      <id>       owner (of the item), reason, text, state (open, closed), reported_at, closed_at, expires_at
//! operators  <id>#<time>#<nonce>   action, reason, by, at, expires_at
//! ```
//! The rows `operators` are what operators did to items, for three years; the operator's tool writes them.
//! The index `by-state` lists the reports of a state by time, `by-owner` those about an owner's items.

use aws_sdk_dynamodb::Client;
use domain::{
    media::MediaId,
    user_report::{ReportReason, ReportText},
};
use function_kit::{failure::Failure, nonce::nonce};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    attribute::{Attributes, seconds, text},
    condition::unless_condition_failed,
    row,
};

const OPEN: &str = "open";
const CLOSED: &str = "closed";
/// How long a report is kept.
const RETENTION: SignedDuration = SignedDuration::from_hours(24 * 180);
/// How long a closed report is kept.
const CLOSED_RETENTION: SignedDuration = SignedDuration::from_hours(24 * 90);
/// How long an operator's action is kept.
const ACTION_RETENTION: SignedDuration = SignedDuration::from_hours(24 * 365 * 3);
/// In place of the reporter: rows of operators' actions. No `sub` is like it.
const OPERATORS: &str = "operators";
/// Rows of each kind that one call of [`ReportTable::erase`] deletes at most. It takes some seconds.
const ERASED_ROWS: i32 = 100;

/// The table.
#[derive(Debug, Clone)]
pub struct ReportTable {
    client: Client,
    name: String,
}

/// A person's report of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// `sub` of the person.
    pub reporter: String,
    /// The item.
    pub media_id: MediaId,
    /// `sub` of the item's owner.
    pub owner: String,
    /// Why the person reports it.
    pub reason: ReportReason,
    /// What the person wrote.
    pub text: Option<ReportText>,
    /// When.
    pub reported_at: Timestamp,
}

/// What an operator did to an item.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// `take-down` or `restore`.
    pub action: String,
    /// Why.
    pub reason: Option<ReportReason>,
    /// ARN of the operator's identity.
    pub by: String,
    /// When: RFC 3339.
    pub at: String,
}

#[serde_with::skip_serializing_none]
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    reporter: String,
    media_id: MediaId,
    owner: String,
    reason: ReportReason,
    text: Option<ReportText>,
    state: String,
    /// In milliseconds, so that all times have the same length and sort as text.
    reported_at: String,
    expires_at: i64,
}

impl ReportTable {
    /// The table `name`, reached by `client`.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// Stores a report as an open one. It replaces the person's earlier report of the item.
    pub async fn put(&self, report: &Report) -> Result<(), Failure> {
        const DOING: &str = "store a report";
        let row = Row {
            reporter: report.reporter.clone(),
            media_id: report.media_id,
            owner: report.owner.clone(),
            reason: report.reason,
            text: report.text.clone(),
            state: OPEN.to_owned(),
            reported_at: time(report.reported_at),
            expires_at: after(report.reported_at, RETENTION).as_second(),
        };
        let put = self.client.put_item().table_name(&self.name).set_item(Some(row::write(DOING, row)?));
        put.send().await.map(drop).map_err(|error| Failure::aws(DOING, error))
    }

    /// All open reports, the oldest first; eventually consistent.
    pub async fn open(&self) -> Result<Vec<Report>, Failure> {
        const DOING: &str = "read open reports";
        let mut rows = self
            .client
            .query()
            .table_name(&self.name)
            .index_name("by-state")
            .key_condition_expression("#state = :open")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":open", text(OPEN))
            .into_paginator()
            .items()
            .send();
        let mut reports = Vec::new();
        while let Some(row) = rows.next().await {
            reports.push(read(DOING, row.map_err(|error| Failure::aws(DOING, error))?)?);
        }
        Ok(reports)
    }

    /// Closes an open report. Returns whether it is closed now: not if it was sent again, closed or erased since it was read.
    pub async fn close(&self, report: &Report, now: Timestamp) -> Result<bool, Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key(&report.reporter, report.media_id)))
            .update_expression("SET #state = :closed, closed_at = :now, expires_at = :expires_at")
            .condition_expression("#state = :open AND reported_at = :seen")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":closed", text(CLOSED))
            .expression_attribute_values(":open", text(OPEN))
            .expression_attribute_values(":seen", text(time(report.reported_at)))
            .expression_attribute_values(":now", text(time(now)))
            .expression_attribute_values(":expires_at", seconds(after(now, CLOSED_RETENTION)));
        Ok(unless_condition_failed("close a report", update.send().await)?.is_some())
    }

    /// Records what an operator does to an item.
    pub async fn record(
        &self,
        media_id: MediaId,
        action: &str,
        reason: Option<ReportReason>,
        by: &str,
        now: Timestamp,
    ) -> Result<(), Failure> {
        const DOING: &str = "record an operator's action";
        let (action, by, at) = (action.to_owned(), by.to_owned(), time(now));
        let key = format!("{media_id}#{at}#{}", nonce()?);
        let mut row = row::write(DOING, Action { action, reason, by, at })?;
        row.extend([
            ("reporter".to_owned(), text(OPERATORS)),
            ("media_id".to_owned(), text(key)),
            ("expires_at".to_owned(), seconds(after(now, ACTION_RETENTION))),
        ]);
        let put = self.client.put_item().table_name(&self.name).set_item(Some(row));
        put.send().await.map(drop).map_err(|error| Failure::aws(DOING, error))
    }

    /// What operators did to an item, the oldest first; strongly consistent.
    pub async fn actions(&self, media_id: MediaId) -> Result<Vec<Action>, Failure> {
        const DOING: &str = "read operators' actions";
        let mut rows = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("reporter = :operators AND begins_with(media_id, :item)")
            .expression_attribute_values(":operators", text(OPERATORS))
            .expression_attribute_values(":item", text(format!("{media_id}#")))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut actions = Vec::new();
        while let Some(row) = rows.next().await {
            actions.push(row::read(DOING, row.map_err(|error| Failure::aws(DOING, error))?)?);
        }
        Ok(actions)
    }

    /// Deletes some of the reports by `person` and about their items. Returns whether more may be left. Only for
    /// `account-api`, when it erases an account.
    pub async fn erase(&self, person: &str) -> Result<bool, Failure> {
        const DOING: &str = "erase reports";
        let mut is_more = false;
        for (index, attribute) in [(None, "reporter"), (Some("by-owner"), "owner")] {
            let page = self
                .client
                .query()
                .table_name(&self.name)
                .set_index_name(index.map(str::to_owned))
                .key_condition_expression("#person = :person")
                .projection_expression("reporter, media_id")
                .expression_attribute_names("#person", attribute)
                .expression_attribute_values(":person", text(person))
                .limit(ERASED_ROWS)
                .send();
            let page = page.await.map_err(|error| Failure::aws(DOING, error))?;
            is_more |= page.last_evaluated_key.is_some();
            for row in page.items.unwrap_or_default() {
                let delete = self.client.delete_item().table_name(&self.name).set_key(Some(row)).send();
                delete.await.map_err(|error| Failure::aws(DOING, error))?;
            }
        }
        Ok(is_more)
    }
}

fn key(reporter: &str, media_id: MediaId) -> Attributes {
    Attributes::from([("reporter".to_owned(), text(reporter)), ("media_id".to_owned(), text(media_id.to_string()))])
}

fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}

fn after(at: Timestamp, duration: SignedDuration) -> Timestamp {
    at.checked_add(duration).unwrap_or(Timestamp::MAX)
}

fn read(doing: &'static str, row: Attributes) -> Result<Report, Failure> {
    let Row { reporter, media_id, owner, reason, text, reported_at, .. } = row::read(doing, row)?;
    let reported_at = reported_at.parse().map_err(|_| Failure::bug(doing, "the row has an unexpected form"))?;
    Ok(Report { reporter, media_id, owner, reason, text, reported_at })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use aws_sdk_dynamodb::operation::{
        delete_item::DeleteItemOutput, put_item::PutItemOutput, query::QueryOutput, update_item::UpdateItemOutput,
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use proptest::prelude::*;

    use super::*;
    use crate::{
        attribute::{get_text, number},
        testing::{malformed, now, update_condition_failed, value},
    };

    fn table(mode: RuleMode, rules: &[&Rule]) -> ReportTable {
        ReportTable::new(mock_client!(aws_sdk_dynamodb, mode, rules), "reports".to_owned())
    }

    fn report() -> Report {
        Report {
            reporter: "jun".to_owned(),
            media_id: MediaId::of_key("photo/mina/a"),
            owner: "mina".to_owned(),
            reason: ReportReason::Spam,
            text: "광고".to_owned().try_into().ok(),
            reported_at: now(),
        }
    }

    fn stored() -> Attributes {
        let mut row = key("jun", report().media_id);
        row.extend(
            [
                ("owner", text("mina")),
                ("reason", text("spam")),
                ("text", text("광고")),
                ("state", text("open")),
                ("reported_at", text("2026-11-22T00:00:00.000Z")),
                ("expires_at", number(1_810_857_600)),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        row
    }

    #[tokio::test]
    async fn report_is_read_as_stored_and_expires_after_180_days() {
        let put = mock!(Client::put_item)
            .match_requests(|request| request.item() == Some(&stored()))
            .then_output(|| PutItemOutput::builder().build());
        let query = mock!(Client::query)
            .match_requests(|request| {
                request.index_name() == Some("by-state")
                    && value(request.expression_attribute_values(), ":open") == Some("open")
            })
            .then_output(|| QueryOutput::builder().items(stored()).build());
        let table = table(RuleMode::Sequential, &[&put, &query]);
        table.put(&report()).await.expect("stored");
        assert_eq!(table.open().await.expect("rows"), [report()]);
    }

    #[tokio::test]
    async fn report_that_was_sent_again_is_not_closed() {
        let update = mock!(Client::update_item)
            .match_requests(|request| {
                let values = request.expression_attribute_values();
                request.condition_expression() == Some("#state = :open AND reported_at = :seen")
                    && value(request.key(), "media_id") == Some(&*report().media_id.to_string())
                    && value(values, ":seen") == Some("2026-11-22T00:00:00.000Z")
                    && value(values, ":closed") == Some("closed")
            })
            .sequence()
            .output(|| UpdateItemOutput::builder().build())
            .error(update_condition_failed)
            .build();
        let table = table(RuleMode::Sequential, &[&update]);
        assert!(table.close(&report(), now()).await.expect("closed"));
        assert!(!table.close(&report(), now()).await.expect("refused"));
    }

    #[tokio::test]
    async fn reports_by_and_about_an_erased_person_are_deleted_page_by_page() {
        let own = key("mina", MediaId::of_key("photo/jun/a"));
        let about = key("jun", report().media_id);
        let (first, second) = (own.clone(), about.clone());
        let query = mock!(Client::query).then_compute_output(move |request| {
            let page = QueryOutput::builder();
            match request.index_name() {
                Some(_) => page.items(second.clone()).build(),
                None => page.items(first.clone()).set_last_evaluated_key(Some(first.clone())).build(),
            }
        });
        let deletes = [own, about].map(|key| {
            mock!(Client::delete_item)
                .match_requests(move |request| request.key() == Some(&key))
                .then_output(|| DeleteItemOutput::builder().build())
        });
        let table = table(RuleMode::MatchAny, &[&query, &deletes[0], &deletes[1]]);
        let is_more = table.erase("mina").await.expect("erased");
        assert!(is_more, "the first page has a next one");
        assert!(deletes.iter().all(|delete| delete.num_calls() == 1));
    }

    #[tokio::test]
    async fn action_is_read_as_recorded_and_kept_for_three_years() {
        let recorded = Arc::new(Mutex::new(None));
        let put = mock!(Client::put_item).then_compute_output({
            let recorded = recorded.clone();
            move |request| {
                *recorded.lock().expect("a lock") = request.item().cloned();
                PutItemOutput::builder().build()
            }
        });
        let query = mock!(Client::query).then_compute_output({
            let recorded = recorded.clone();
            move |_| {
                QueryOutput::builder().set_items(recorded.lock().expect("a lock").clone().map(|row| vec![row])).build()
            }
        });
        let table = table(RuleMode::Sequential, &[&put, &query]);
        let (id, by) = (report().media_id, "arn:aws:iam::1:user/operator");
        table.record(id, "take-down", Some(ReportReason::Hate), by, now()).await.expect("recorded");
        let action = Action {
            action: "take-down".to_owned(),
            reason: Some(ReportReason::Hate),
            by: by.to_owned(),
            at: "2026-11-22T00:00:00.000Z".to_owned(),
        };
        assert_eq!(table.actions(id).await.expect("rows"), [action]);
        let row = recorded.lock().expect("a lock").clone().expect("a row");
        assert!(value(Some(&row), "media_id").is_some_and(|key| key.starts_with(&format!("{id}#2026-"))));
        assert_eq!(value(Some(&row), "expires_at"), Some("1889913600"));
        // It is in no index.
        assert!(!row.contains_key("state") && !row.contains_key("owner"));
    }

    proptest! {
        #[test]
        fn malformed_row_is_read_or_a_bug(row in malformed(stored())) {
            let text = get_text(&row, "text").unwrap_or_default().to_owned();
            if let Err(failure) = read("read a row", row) {
                prop_assert_eq!(failure.kind, function_kit::failure::Kind::Bug);
                prop_assert!(text.len() < 8 || !failure.to_string().contains(&text));
            }
        }
    }
}
