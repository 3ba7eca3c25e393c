//! The table `quotas`: what each person has uploaded and reported today, and which uploads are unfinished. Its writer is
//! `upload-api`; `media-api` counts reports, `account-api` counts exports and deletes rows of erased accounts.
//!
//! ```text
//! owner   item             other attributes
//! <sub>   day#<date>       uploads, bytes, expires_at
//! <sub>   reports#<date>   reports, counted_by (nonce), expires_at
//! <sub>   exports#<date>   exports, counted_by (nonce), expires_at
//! <sub>   pending          uploads (texts: media id, kind, lane, signed_until, expires_at), revision, expires_at
//! ```
//! The unfinished uploads of a person are one row, so that parallel starts see each other: each writes over the revision
//! that it has read.
//!
//! Rows are no record of anything: they expire after four days, and losing them only resets a person's budget.

use std::fmt;

use aws_sdk_dynamodb::{Client, operation::update_item::UpdateItemError, types::ReturnValuesOnConditionCheckFailure};
use domain::upload::{Budget, Lane, PendingUpload, day};
use function_kit::{failure::Failure, nonce::nonce};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    attribute::{Attributes, get_text, number, seconds, text},
    condition::unless_condition_failed,
    row,
};

/// How long a row is kept. An upload that is unfinished for longer no longer counts.
const RETENTION: SignedDuration = SignedDuration::from_hours(96);
const PENDING: &str = "pending";

/// The table.
#[derive(Debug, Clone)]
pub struct QuotasTable {
    client: Client,
    name: String,
}

/// The uploads of a person that count as unfinished.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pending {
    /// In the order in which they were noted.
    pub uploads: Vec<NotedUpload>,
    /// The revision of the row; `None` if there is none.
    pub revision: Option<String>,
}

/// An unfinished upload, with the time from which it no longer counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotedUpload {
    /// The upload.
    pub upload: PendingUpload,
    /// Precise to seconds.
    pub expires_at: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
struct PendingRow {
    owner: String,
    item: String,
    uploads: Vec<String>,
    revision: String,
    expires_at: i64,
}

impl QuotasTable {
    /// The table `name`, reached by `client`.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// The uploads of `owner` that count as unfinished; strongly consistent.
    pub async fn pending(&self, owner: &str, now: Timestamp) -> Result<Pending, Failure> {
        const DOING: &str = "read unfinished uploads";
        let get = self.client.get_item().table_name(&self.name).consistent_read(true);
        let response = get.set_key(Some(key(owner, PENDING))).send().await;
        let row = response.map_err(|error| Failure::aws(DOING, error))?.item;
        row.map_or_else(|| Ok(Pending::default()), |row| read(DOING, row, now))
    }

    /// Stores the unfinished uploads of `owner` over those that were `read`. Returns whether they were stored; if not,
    /// another start has changed them.
    pub async fn note(
        &self,
        owner: &str,
        read: &Pending,
        uploads: &[NotedUpload],
        now: Timestamp,
    ) -> Result<bool, Failure> {
        const DOING: &str = "note an unfinished upload";
        let row = PendingRow {
            owner: owner.to_owned(),
            item: PENDING.to_owned(),
            uploads: uploads.iter().map(NotedUpload::to_string).collect(),
            revision: nonce()?,
            expires_at: expiry(now).as_second(),
        };
        let put = self.client.put_item().table_name(&self.name).set_item(Some(row::write(DOING, row)?));
        let put = match &read.revision {
            Some(revision) => {
                put.condition_expression("revision = :read").expression_attribute_values(":read", text(revision))
            }
            None => {
                put.condition_expression("attribute_not_exists(#owner)").expression_attribute_names("#owner", "owner")
            }
        };
        Ok(unless_condition_failed(DOING, put.send().await)?.is_some())
    }

    /// Counts an upload of `bytes` to the day. Returns whether the budget allowed it; if not, nothing is counted.
    pub async fn count(&self, owner: &str, bytes: u64, budget: &Budget, now: Timestamp) -> Result<bool, Failure> {
        // Without a row, the condition holds for any number of bytes.
        let Some(room) = budget.bytes_per_day.checked_sub(bytes).filter(|_| budget.uploads_per_day > 0) else {
            return Ok(false);
        };
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key(owner, &format!("day#{}", day(now)))))
            .update_expression("ADD uploads :one, #bytes :bytes SET expires_at = :expires_at")
            .condition_expression("attribute_not_exists(uploads) OR (uploads < :uploads AND #bytes <= :room)")
            .expression_attribute_names("#bytes", "bytes")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":bytes", number(bytes))
            .expression_attribute_values(":uploads", number(budget.uploads_per_day))
            .expression_attribute_values(":room", number(room))
            .expression_attribute_values(":expires_at", seconds(expiry(now)));
        Ok(unless_condition_failed("count an upload", update.send().await)?.is_some())
    }

    /// Takes back what [`count`](Self::count) has counted at `now`, for an upload that was not started.
    pub async fn uncount(&self, owner: &str, bytes: u64, now: Timestamp) -> Result<(), Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key(owner, &format!("day#{}", day(now)))))
            .update_expression("SET uploads = uploads - :one, #bytes = #bytes - :bytes")
            .condition_expression("uploads >= :one AND #bytes >= :bytes")
            .expression_attribute_names("#bytes", "bytes")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":bytes", number(bytes));
        unless_condition_failed("take back the count of an upload", update.send().await).map(drop)
    }

    /// Counts a report to the day. Returns whether there were less than `per_day`; if not, nothing is counted.
    pub async fn count_report(&self, reporter: &str, per_day: u64, now: Timestamp) -> Result<bool, Failure> {
        self.count_to_day("reports", "count a report", reporter, per_day, now).await
    }

    /// Counts a copy of everything about `owner` to the day. Returns whether there were less than `per_day`; if not, nothing
    /// is counted. Only for `account-api`.
    pub async fn count_export(&self, owner: &str, per_day: u64, now: Timestamp) -> Result<bool, Failure> {
        self.count_to_day("exports", "count an export", owner, per_day, now).await
    }

    /// Counts one to the day, in a row of its own for each `counter`. A nonce says that a repeated call has counted already,
    /// if the answer to its first attempt was lost.
    async fn count_to_day(
        &self,
        counter: &str,
        doing: &'static str,
        owner: &str,
        per_day: u64,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let nonce = nonce()?;
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key(owner, &format!("{counter}#{}", day(now)))))
            .update_expression(format!("ADD {counter} :one SET counted_by = :nonce, expires_at = :expires_at"))
            .condition_expression(format!(
                "attribute_not_exists({counter}) OR ({counter} < :per_day \
                 AND (attribute_not_exists(counted_by) OR counted_by <> :nonce))"
            ))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":nonce", text(&nonce))
            .expression_attribute_values(":per_day", number(per_day))
            .expression_attribute_values(":expires_at", seconds(expiry(now)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(failed.item().and_then(|row| get_text(row, "counted_by")) == Some(nonce.as_str()))
                }
                _ => Err(Failure::aws(doing, error)),
            },
        }
    }

    /// Deletes all rows of `owner`. Only for `account-api`, when it erases an account.
    pub async fn erase(&self, owner: &str) -> Result<(), Failure> {
        const DOING: &str = "erase quotas";
        let mut rows = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("#owner = :owner")
            .projection_expression("#owner, #item")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#item", "item")
            .expression_attribute_values(":owner", text(owner))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        while let Some(row) = rows.next().await {
            let row = row.map_err(|error| Failure::aws(DOING, error))?;
            let delete = self.client.delete_item().table_name(&self.name).set_key(Some(row));
            delete.send().await.map_err(|error| Failure::aws(DOING, error))?;
        }
        Ok(())
    }
}

fn expiry(now: Timestamp) -> Timestamp {
    now.checked_add(RETENTION).unwrap_or(Timestamp::MAX)
}

fn key(owner: &str, item: &str) -> Attributes {
    Attributes::from([("owner".to_owned(), text(owner)), ("item".to_owned(), text(item))])
}

/// The unfinished uploads of a row, without expired ones.
fn read(doing: &'static str, row: Attributes, now: Timestamp) -> Result<Pending, Failure> {
    let PendingRow { uploads, revision, .. } = row::read(doing, row)?;
    let uploads = uploads.iter().map(|text| NotedUpload::parse(text)).collect::<Option<Vec<_>>>();
    let mut uploads = uploads.ok_or_else(|| Failure::bug(doing, "an upload has an unexpected form"))?;
    uploads.retain(|noted| noted.expires_at > now);
    Ok(Pending { uploads, revision: Some(revision) })
}

impl NotedUpload {
    /// An upload that is noted at `now`.
    pub fn new(upload: PendingUpload, now: Timestamp) -> Self {
        Self { upload, expires_at: expiry(now) }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split(' ');
        let upload = PendingUpload {
            media_id: fields.next()?.parse().ok()?,
            kind: fields.next()?.parse().ok()?,
            // A lane of a later version.
            lane: fields.next()?.parse().unwrap_or(Lane::Fast),
            signed_until: Timestamp::from_second(fields.next()?.parse().ok()?).ok()?,
        };
        Some(Self { upload, expires_at: Timestamp::from_second(fields.next()?.parse().ok()?).ok()? })
    }
}

impl fmt::Display for NotedUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PendingUpload { media_id, kind, lane, signed_until } = &self.upload;
        let (kind, lane) = (kind.as_ref(), lane.as_ref());
        write!(f, "{media_id} {kind} {lane} {} {}", signed_until.as_second(), self.expires_at.as_second())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use aws_sdk_dynamodb::{
        operation::{
            delete_item::DeleteItemOutput, get_item::GetItemOutput, put_item::PutItemOutput, query::QueryOutput,
            update_item::UpdateItemOutput,
        },
        types::error::ConditionalCheckFailedException,
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use domain::media::{Kind, MediaId};
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{malformed, now, put_condition_failed, update_condition_failed, value};

    fn table(rules: &[&Rule]) -> QuotasTable {
        QuotasTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules), "quotas".to_owned())
    }

    fn noted() -> NotedUpload {
        let media_id = MediaId::of_key("audio/mina/a");
        let upload = PendingUpload { media_id, kind: Kind::Audio, lane: Lane::Slow, signed_until: now() };
        NotedUpload::new(upload, now())
    }

    fn stored() -> Attributes {
        let row = PendingRow {
            owner: "mina".to_owned(),
            item: "pending".to_owned(),
            uploads: vec![noted().to_string()],
            revision: "r1".to_owned(),
            expires_at: expiry(now()).as_second(),
        };
        row::write("write a row", row).expect("a row")
    }

    #[tokio::test]
    async fn upload_is_counted_under_the_condition_of_its_budget() {
        let budget = Budget { uploads_per_day: 5, bytes_per_day: 100, pending: 9, fast_recordings: 9 };
        let update = mock!(Client::update_item)
            .match_requests(|request| {
                let values = request.expression_attribute_values();
                value(request.key(), "item") == Some("day#2026-11-22")
                    && request.condition_expression()
                        == Some("attribute_not_exists(uploads) OR (uploads < :uploads AND #bytes <= :room)")
                    && value(values, ":room") == Some("60")
                    && value(values, ":uploads") == Some("5")
                    && value(values, ":bytes") == Some("40")
            })
            .sequence()
            .output(|| UpdateItemOutput::builder().build())
            .error(update_condition_failed)
            .build();
        let table = table(&[&update]);
        assert!(table.count("mina", 40, &budget, now()).await.expect("counted"));
        assert!(!table.count("mina", 40, &budget, now()).await.expect("refused"));
        // No request: the condition would hold on the first upload of a day.
        assert!(!table.count("mina", 101, &budget, now()).await.expect("refused"));
        assert_eq!(update.num_calls(), 2);
    }

    #[tokio::test]
    async fn count_is_taken_back_from_its_day_but_never_below_zero() {
        let update = mock!(Client::update_item)
            .match_requests(|request| {
                let values = request.expression_attribute_values();
                value(request.key(), "item") == Some("day#2026-11-22")
                    && request.update_expression() == Some("SET uploads = uploads - :one, #bytes = #bytes - :bytes")
                    && request.condition_expression() == Some("uploads >= :one AND #bytes >= :bytes")
                    && value(values, ":bytes") == Some("40")
            })
            .sequence()
            .output(|| UpdateItemOutput::builder().build())
            .error(update_condition_failed)
            .build();
        let table = table(&[&update]);
        for _ in 0..2 {
            table.uncount("mina", 40, now()).await.expect("taken back");
        }
    }

    #[tokio::test]
    async fn reports_and_exports_are_counted_to_their_own_days_until_the_limit() {
        for counter in ["reports", "exports"] {
            let update = mock!(Client::update_item)
                .match_requests(move |request| {
                    let condition = format!(
                        "attribute_not_exists({counter}) OR ({counter} < :per_day \
                         AND (attribute_not_exists(counted_by) OR counted_by <> :nonce))"
                    );
                    value(request.key(), "item") == Some(&format!("{counter}#2026-11-22"))
                        && request.update_expression()
                            == Some(&format!("ADD {counter} :one SET counted_by = :nonce, expires_at = :expires_at"))
                        && request.condition_expression() == Some(&condition)
                        && value(request.expression_attribute_values(), ":per_day") == Some("5")
                })
                .sequence()
                .output(|| UpdateItemOutput::builder().build())
                .error(update_condition_failed)
                .build();
            let table = table(&[&update]);
            for expected in [true, false] {
                let is_counted = match counter {
                    "reports" => table.count_report("jun", 5, now()).await,
                    _ => table.count_export("jun", 5, now()).await,
                };
                assert_eq!(is_counted.expect("a result"), expected, "{counter}");
            }
        }
    }

    #[tokio::test]
    async fn count_whose_answer_was_lost_is_counted_once() {
        let nonce = Arc::new(Mutex::new(None));
        let sent = Arc::clone(&nonce);
        let update = mock!(Client::update_item)
            .match_requests(move |request| {
                let value = value(request.expression_attribute_values(), ":nonce").map(str::to_owned);
                *sent.lock().expect("no panic") = value;
                true
            })
            .then_error(move || {
                let own = nonce.lock().expect("no panic").clone().expect("a nonce");
                let failed = ConditionalCheckFailedException::builder().item("counted_by", text(own));
                UpdateItemError::ConditionalCheckFailedException(failed.build())
            });
        assert!(table(&[&update]).count_export("mina", 2, now()).await.expect("a result"));
    }

    #[tokio::test]
    async fn erased_person_has_no_rows() {
        let days = ["day#2026-11-22", "pending"].map(|item| key("mina", item));
        let page = QueryOutput::builder().set_items(Some(days.to_vec())).build();
        let query = mock!(Client::query).then_output(move || page.clone());
        let deletes = days.map(|key| {
            mock!(Client::delete_item)
                .match_requests(move |request| request.key() == Some(&key))
                .then_output(|| DeleteItemOutput::builder().build())
        });
        table(&[&query, &deletes[0], &deletes[1]]).erase("mina").await.expect("erased");
        assert!(deletes.iter().all(|delete| delete.num_calls() == 1));
    }

    #[tokio::test]
    async fn unfinished_uploads_are_read_as_noted_until_they_expire() {
        let put = mock!(Client::put_item)
            .match_requests(|request| {
                let item = request.item().cloned().expect("a row");
                let revision = value(Some(&item), "revision").expect("a revision").to_owned();
                let expected = stored().into_iter().chain([("revision".to_owned(), text(&revision))]).collect();
                revision != "r1"
                    && item == expected
                    && request.condition_expression() == Some("attribute_not_exists(#owner)")
            })
            .then_output(|| PutItemOutput::builder().build());
        let get = mock!(Client::get_item)
            .match_requests(|request| {
                request.consistent_read() == Some(true) && value(request.key(), "item") == Some("pending")
            })
            .sequence()
            .output(|| GetItemOutput::builder().build())
            .output(|| GetItemOutput::builder().set_item(Some(stored())).build())
            .output(|| GetItemOutput::builder().set_item(Some(stored())).build())
            .build();
        let table =
            QuotasTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&put, &get]), "quotas".to_owned());
        let none = table.pending("mina", now()).await.expect("none");
        assert_eq!(none, Pending::default());
        assert!(table.note("mina", &none, &[noted()], now()).await.expect("noted"));
        let revision = Some("r1".to_owned());
        let read = table.pending("mina", now()).await.expect("a row");
        assert_eq!(read, Pending { uploads: vec![noted()], revision: revision.clone() });
        let later = table.pending("mina", expiry(now())).await.expect("a row");
        assert_eq!(later, Pending { uploads: vec![], revision });
    }

    #[tokio::test]
    async fn uploads_that_others_have_changed_are_not_overwritten() {
        let put = mock!(Client::put_item)
            .match_requests(|request| {
                request.condition_expression() == Some("revision = :read")
                    && value(request.expression_attribute_values(), ":read") == Some("r1")
            })
            .then_error(put_condition_failed);
        let read = Pending { uploads: vec![], revision: Some("r1".to_owned()) };
        assert!(!table(&[&put]).note("mina", &read, &[noted()], now()).await.expect("refused"));
    }

    proptest! {
        #[test]
        fn malformed_row_is_read_or_a_bug(row in malformed(stored())) {
            if let Err(failure) = read("read a row", row, now()) {
                prop_assert_eq!(failure.kind, function_kit::failure::Kind::Bug);
            }
        }
    }
}
