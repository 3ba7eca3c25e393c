use aws_sdk_dynamodb::{
    Client,
    operation::{
        batch_get_item::BatchGetItemOutput,
        get_item::GetItemOutput,
        put_item::PutItemOutput,
        update_item::{UpdateItemError, UpdateItemOutput},
    },
    types::{AttributeValue, error::ConditionalCheckFailedException},
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use std::collections::HashMap;
use store::{media::MediaTable, quotas::QuotasTable};

use super::*;

const NOW: &str = "2026-11-22T23:00:00Z";

fn now() -> Timestamp {
    NOW.parse().expect("a time")
}

fn budgets(budget: Budget, rules: &[&Rule]) -> Budgets {
    let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, rules);
    let quotas = QuotasTable::new(client.clone(), "quotas".to_owned());
    Budgets { ledger: Tables { quotas, media: MediaTable::new(client, "media".to_owned()) }, budget }
}

fn limits(pending: usize, fast_recordings: usize) -> Budget {
    Budget { uploads_per_day: 100, bytes_per_day: 1 << 40, pending, fast_recordings }
}

/// Budgets that allow every upload, of people without unfinished ones.
pub fn ample() -> Budgets {
    budgets(limits(10, 10), &[&unfinished(&[]), &counted(), &noted()])
}

/// Budgets of people who have used up their day.
pub fn used_up() -> Budgets {
    budgets(limits(10, 10), &[&unfinished(&[]), &refused()])
}

fn refused() -> Rule {
    mock!(Client::update_item).then_error(|| {
        UpdateItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build())
    })
}

fn counted() -> Rule {
    mock!(Client::update_item).then_output(|| UpdateItemOutput::builder().build())
}

fn noted() -> Rule {
    mock!(Client::put_item).then_output(|| PutItemOutput::builder().build())
}

type Row = HashMap<String, AttributeValue>;

fn row(texts: &[(&str, &str)], numbers: &[(&str, i64)]) -> Row {
    let texts = texts.iter().map(|(name, text)| ((*name).to_owned(), AttributeValue::S((*text).to_owned())));
    let numbers = numbers.iter().map(|(name, number)| ((*name).to_owned(), AttributeValue::N(number.to_string())));
    texts.chain(numbers).collect()
}

fn id(name: &str) -> MediaId {
    MediaId::of_key(&format!("audio/mina/{name}"))
}

/// Notes of recordings of these names, which can be sent until the time in seconds from now.
fn unfinished(names: &'static [(&'static str, i64)]) -> Rule {
    mock!(Client::get_item).then_output(|| {
        let now = now().as_second();
        let upload = |(name, seconds): &(&str, i64)| {
            AttributeValue::S(format!("{} audio slow {} {}", id(name), now + seconds, now + 9_999))
        };
        let mut row =
            row(&[("owner", "mina"), ("item", "pending"), ("revision", "r1")], &[("expires_at", now + 9_999)]);
        row.insert("uploads".to_owned(), AttributeValue::L(names.iter().map(upload).collect()));
        GetItemOutput::builder().set_item(Some(row)).build()
    })
}

/// The uploads that are noted beside the one that is taken, as their ids.
fn noted_beside(names: &'static [&'static str]) -> Rule {
    mock!(Client::put_item)
        .match_requests(|request| {
            let uploads = request.item().and_then(|row| row["uploads"].as_l().ok()).cloned().unwrap_or_default();
            let ids =
                uploads.iter().filter_map(|upload| upload.as_s().ok()?.split_once(' ')).map(|(id, _)| id.to_owned());
            let mut ids: Vec<_> = ids.collect();
            ids.pop();
            ids == names.iter().map(|name| id(name).to_string()).collect::<Vec<_>>()
        })
        .then_output(|| PutItemOutput::builder().build())
}

/// Rows of the table `media` in these states.
fn items(states: &'static [(&'static str, &'static str)]) -> Rule {
    mock!(Client::batch_get_item).then_output(|| {
        let rows = states.iter().map(|(name, state)| {
            row(
                &[
                    ("id", &id(name).to_string()),
                    ("position", "0A000000000000000000000000000000.0"),
                    ("kind", "audio"),
                    ("owner", "mina"),
                    ("key", &format!("audio/mina/{name}")),
                    ("state", state),
                    ("uploaded_at", NOW),
                    ("visibility", "public"),
                ],
                &[("size", 1)],
            )
        });
        BatchGetItemOutput::builder().responses("media", rows.collect()).build()
    })
}

async fn take(budgets: &Budgets, name: &str) -> Result<Lane, Exceeded> {
    budgets.take("mina", (Kind::Audio, id(name)), 7, now()).await.expect("an answer")
}

#[tokio::test]
async fn upload_is_counted_and_noted_once() {
    let (query, counted, noted) = (unfinished(&[("a", 60)]), counted(), noted());
    let budgets = budgets(limits(10, 10), &[&query, &counted, &noted]);
    assert_eq!(take(&budgets, "b").await, Ok(Lane::Fast));
    assert_eq!((counted.num_calls(), noted.num_calls()), (1, 1));
    // A retry keeps its lane.
    assert_eq!(take(&budgets, "a").await, Ok(Lane::Slow));
    assert_eq!((counted.num_calls(), noted.num_calls()), (1, 1));
}

#[tokio::test]
async fn unfinished_uploads_are_refused_and_slow_until_they_are_processed() {
    let query = unfinished(&[("sent", 60), ("waiting", 60)]);
    for (state, limits, expected) in [
        ("processing", limits(2, 10), None),
        ("ready", limits(2, 10), Some(Lane::Fast)),
        ("processing", limits(10, 2), Some(Lane::Slow)),
        ("ready", limits(10, 2), Some(Lane::Fast)),
    ] {
        let (items, noted) = match state {
            "ready" => (items(&[("sent", "ready")]), noted_beside(&["waiting"])),
            _ => (items(&[("sent", "processing")]), noted_beside(&["sent", "waiting"])),
        };
        let counted = counted();
        let budgets = budgets(limits, &[&query, &items, &counted, &noted]);
        let taken = take(&budgets, "next").await;
        assert_eq!(taken.ok(), expected, "{state}");
        if let Err(exceeded) = taken {
            assert_eq!((exceeded.retry_after, exceeded.problem().status), (60, 429));
        }
        assert_eq!((counted.num_calls(), noted.num_calls()), (usize::from(expected.is_some()), counted.num_calls()));
    }
}

#[tokio::test]
async fn upload_that_was_never_sent_ends_with_its_signature() {
    let (query, items) = (unfinished(&[("given up", -1), ("late", 1)]), items(&[]));
    let (counted, noted) = (counted(), noted_beside(&["late"]));
    let budgets = budgets(limits(2, 10), &[&query, &items, &counted, &noted]);
    assert_eq!(take(&budgets, "next").await, Ok(Lane::Fast));
    assert_eq!(noted.num_calls(), 1);
}

#[tokio::test]
async fn used_up_day_is_refused_until_midnight() {
    let (query, refused, noted) = (unfinished(&[]), refused(), noted());
    let budgets = budgets(limits(10, 10), &[&query, &refused, &noted]);
    assert_eq!(take(&budgets, "a").await.expect_err("a refusal").retry_after, 3_600);
    assert_eq!(noted.num_calls(), 0);
}
