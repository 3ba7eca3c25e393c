//! The table `quotas`: what each person has uploaded and reported today, and which uploads are unfinished. Its writer is
//! `upload-api`; `media-api` counts reports, `account-api` counts exports and deletes rows of erased accounts.
//!
//! ```text
//! owner   item                 other attributes
//! <sub>   day#<date>           uploads, bytes, expires_at
//! <sub>   reports#<date>       reports, expires_at
//! <sub>   exports#<date>       exports, expires_at
//! <sub>   pending#<media id>   kind, lane, signed_until (seconds), expires_at
//! ```
//! Rows are no record of anything: they expire after four days, and losing them only resets a person's budget.

use aws_sdk_dynamodb::Client;
use domain::{
    media::MediaId,
    upload::{Budget, Lane, PendingUpload, day},
};
use function_kit::failure::Failure;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    attribute::{Attributes, number, seconds, text},
    condition::unless_condition_failed,
    row,
};

/// How long a row is kept. An upload that is unfinished for longer no longer counts.
const RETENTION: SignedDuration = SignedDuration::from_hours(96);
const PENDING: &str = "pending#";

/// The table.
#[derive(Debug, Clone)]
pub struct QuotasTable {
    client: Client,
    name: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct PendingRow {
    owner: String,
    item: String,
    kind: String,
    lane: String,
    signed_until: i64,
    expires_at: i64,
}

impl QuotasTable {
    /// The table `name`, reached by `client`.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// The uploads of `owner` that count as unfinished, in no particular order.
    pub async fn pending(&self, owner: &str, now: Timestamp) -> Result<Vec<PendingUpload>, Failure> {
        const DOING: &str = "read unfinished uploads";
        let mut pages = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("#owner = :owner AND begins_with(#item, :pending)")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#item", "item")
            .expression_attribute_values(":owner", text(owner))
            .expression_attribute_values(":pending", text(PENDING))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut pending = Vec::new();
        while let Some(row) = pages.next().await {
            let row = row.map_err(|error| Failure::aws(DOING, error))?;
            pending.extend(read(DOING, row, now)?);
        }
        Ok(pending)
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

    /// Counts a report to the day. Returns whether there were less than `per_day`; if not, nothing is counted.
    pub async fn count_report(&self, reporter: &str, per_day: u64, now: Timestamp) -> Result<bool, Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key(reporter, &format!("reports#{}", day(now)))))
            .update_expression("ADD reports :one SET expires_at = :expires_at")
            .condition_expression("attribute_not_exists(reports) OR reports < :reports")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":reports", number(per_day))
            .expression_attribute_values(":expires_at", seconds(expiry(now)));
        Ok(unless_condition_failed("count a report", update.send().await)?.is_some())
    }

    /// Counts a copy of everything about `owner` to the day. Returns whether there were less than `per_day`; if not, nothing
    /// is counted. Only for `account-api`.
    pub async fn count_export(&self, owner: &str, per_day: u64, now: Timestamp) -> Result<bool, Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key(owner, &format!("exports#{}", day(now)))))
            .update_expression("ADD exports :one SET expires_at = :expires_at")
            .condition_expression("attribute_not_exists(exports) OR exports < :exports")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":exports", number(per_day))
            .expression_attribute_values(":expires_at", seconds(expiry(now)));
        Ok(unless_condition_failed("count an export", update.send().await)?.is_some())
    }

    /// Notes an unfinished upload.
    pub async fn note(&self, owner: &str, upload: &PendingUpload, now: Timestamp) -> Result<(), Failure> {
        const DOING: &str = "note an unfinished upload";
        let row = PendingRow {
            owner: owner.to_owned(),
            item: format!("{PENDING}{}", upload.media_id),
            kind: upload.kind.as_ref().to_owned(),
            lane: upload.lane.as_ref().to_owned(),
            signed_until: upload.signed_until.as_second(),
            expires_at: expiry(now).as_second(),
        };
        let put = self.client.put_item().table_name(&self.name).set_item(Some(row::write(DOING, row)?));
        put.send().await.map(drop).map_err(|error| Failure::aws(DOING, error))
    }

    /// Deletes the note of an upload that is finished.
    pub async fn forget(&self, owner: &str, id: MediaId) -> Result<(), Failure> {
        let delete = self.client.delete_item().table_name(&self.name);
        let delete = delete.set_key(Some(key(owner, &format!("{PENDING}{id}"))));
        delete.send().await.map(drop).map_err(|error| Failure::aws("forget a finished upload", error))
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

/// The unfinished upload of a row; `None` if the row has expired.
fn read(doing: &'static str, row: Attributes, now: Timestamp) -> Result<Option<PendingUpload>, Failure> {
    let PendingRow { item, kind, lane, signed_until, expires_at, .. } = row::read(doing, row)?;
    if expires_at <= now.as_second() {
        return Ok(None);
    }
    let unexpected = || Failure::bug(doing, "the row has an unexpected form");
    Ok(Some(PendingUpload {
        media_id: item.strip_prefix(PENDING).and_then(|id| id.parse().ok()).ok_or_else(unexpected)?,
        kind: kind.parse().map_err(|_| unexpected())?,
        // A lane of a later version.
        lane: lane.parse().unwrap_or(Lane::Fast),
        signed_until: Timestamp::from_second(signed_until).map_err(|_| unexpected())?,
    }))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::operation::{
        delete_item::DeleteItemOutput, put_item::PutItemOutput, query::QueryOutput, update_item::UpdateItemOutput,
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use domain::media::Kind;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{malformed, now, update_condition_failed, value};

    fn table(rules: &[&Rule]) -> QuotasTable {
        QuotasTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules), "quotas".to_owned())
    }

    fn upload() -> PendingUpload {
        let media_id = MediaId::of_key("audio/mina/a");
        PendingUpload { media_id, kind: Kind::Audio, lane: Lane::Slow, signed_until: now() }
    }

    fn stored() -> Attributes {
        let expires_at = expiry(now()).as_second();
        let row = PendingRow {
            owner: "mina".to_owned(),
            item: format!("{PENDING}{}", upload().media_id),
            kind: "audio".to_owned(),
            lane: "slow".to_owned(),
            signed_until: now().as_second(),
            expires_at,
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
    async fn report_is_counted_to_its_own_day_until_the_limit() {
        let update = mock!(Client::update_item)
            .match_requests(|request| {
                value(request.key(), "item") == Some("reports#2026-11-22")
                    && request.condition_expression() == Some("attribute_not_exists(reports) OR reports < :reports")
                    && value(request.expression_attribute_values(), ":reports") == Some("5")
            })
            .sequence()
            .output(|| UpdateItemOutput::builder().build())
            .error(update_condition_failed)
            .build();
        let table = table(&[&update]);
        assert!(table.count_report("jun", 5, now()).await.expect("counted"));
        assert!(!table.count_report("jun", 5, now()).await.expect("refused"));
    }

    #[tokio::test]
    async fn export_is_counted_to_its_own_day_until_the_limit() {
        let update = mock!(Client::update_item)
            .match_requests(|request| {
                value(request.key(), "item") == Some("exports#2026-11-22")
                    && request.condition_expression() == Some("attribute_not_exists(exports) OR exports < :exports")
                    && value(request.expression_attribute_values(), ":exports") == Some("2")
            })
            .sequence()
            .output(|| UpdateItemOutput::builder().build())
            .error(update_condition_failed)
            .build();
        let table = table(&[&update]);
        assert!(table.count_export("jun", 2, now()).await.expect("counted"));
        assert!(!table.count_export("jun", 2, now()).await.expect("refused"));
    }

    #[tokio::test]
    async fn erased_person_has_no_rows() {
        let days = ["day#2026-11-22", "pending#1"].map(|item| key("mina", item));
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
    async fn unfinished_upload_is_read_as_noted_until_it_expires() {
        let put = mock!(Client::put_item)
            .match_requests(|request| request.item() == Some(&stored()))
            .then_output(|| PutItemOutput::builder().build());
        let query = mock!(Client::query)
            .match_requests(|request| request.consistent_read() == Some(true))
            .sequence()
            .output(|| QueryOutput::builder().items(stored()).build())
            .output(|| QueryOutput::builder().items(stored()).build())
            .build();
        let table = table(&[&put, &query]);
        table.note("mina", &upload(), now()).await.expect("noted");
        assert_eq!(table.pending("mina", now()).await.expect("rows"), [upload()]);
        assert_eq!(table.pending("mina", expiry(now())).await.expect("rows"), []);
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
