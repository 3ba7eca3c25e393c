use aws_sdk_dynamodb::{
    operation::{
        batch_execute_statement::{BatchExecuteStatementError, BatchExecuteStatementOutput},
        put_item::PutItemOutput,
        update_item::UpdateItemOutput,
    },
    types::{
        BatchStatementError, BatchStatementErrorCodeEnum, BatchStatementResponse,
        error::{ConditionalCheckFailedException, InternalServerError},
    },
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use jiff::SignedDuration;

use super::*;
use crate::testing::{event, now, put_condition_failed, value};

fn table(rule: &Rule) -> LedgerTable {
    LedgerTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, [rule]), "ledger".to_owned())
}

fn entry(event: &Event) -> Entry<'_> {
    Entry { event, rule: "like-story", recipient: "mina" }
}

/// The condition failed on a row that has this attribute.
fn condition_failed(attribute: &str) -> UpdateItemError {
    let failed = ConditionalCheckFailedException::builder().item(attribute, text("sent"));
    UpdateItemError::ConditionalCheckFailedException(failed.build())
}

fn phone() -> AttributeValue {
    AttributeValue::Ss(vec!["phone".to_owned()])
}

#[tokio::test]
async fn entry_is_claimed_by_one_claimant_at_a_time() {
    let claim = mock!(Client::update_item)
        .match_requests(|request| {
            let values = request.expression_attribute_values();
            value(request.key(), "id") == Some("told#like-story#main/7/1#mina")
                && request.condition_expression()
                    == Some("attribute_not_exists(id) OR (attribute_not_exists(outcome) AND claimed_until <= :now)")
                && value(values, ":me") == Some("me")
                && value(values, ":now") == Some("1795305600000")
                && value(values, ":until") == Some("1795305660000")
                // 120 days after the commit.
                && value(values, ":expires_at") == Some("1805673600")
        })
        .sequence()
        .output(|| UpdateItemOutput::builder().attributes("sent", phone()).build())
        .error(|| condition_failed("claimed_by"))
        .error(|| condition_failed("outcome"))
        .build();
    let (table, event) = (table(&claim), event());
    let until = now() + SignedDuration::from_secs(60);
    let claims = [
        table.claim(&entry(&event), "me", now(), until).await.expect("a claim"),
        table.claim(&entry(&event), "me", now(), until).await.expect("a claim"),
        table.claim(&entry(&event), "me", now(), until).await.expect("a claim"),
    ];
    let claimed = Claim::Claimed { sent: ["phone".to_owned()].into() };
    assert_eq!(claims, [claimed, Claim::Held, Claim::Settled("sent".to_owned())]);
}

#[tokio::test]
async fn claim_is_finished_once_and_only_by_its_claimant() {
    let update = mock!(Client::update_item)
        .match_requests(|request| {
            let values = request.expression_attribute_values();
            request.update_expression() == Some("SET claimed_until = :none, sent = :sent, outcome = :outcome")
                && request.condition_expression() == Some("claimed_by = :me AND attribute_not_exists(outcome)")
                && values.and_then(|values| values.get(":sent")) == Some(&phone())
                && value(values, ":outcome") == Some("sent")
        })
        .sequence()
        .output(|| UpdateItemOutput::builder().build())
        .error(|| condition_failed("outcome"))
        .build();
    let (table, event, sent) = (table(&update), event(), ["phone".to_owned()].into());
    assert!(table.finish_claim(&entry(&event), "me", &sent, Some("sent")).await.expect("a result"));
    assert!(!table.finish_claim(&entry(&event), "me", &sent, Some("sent")).await.expect("a result"));
}

#[tokio::test]
async fn claim_finished_without_an_outcome_is_released() {
    let update = mock!(Client::update_item)
        .match_requests(|request| {
            request.update_expression() == Some("SET claimed_until = :none")
                && value(request.expression_attribute_values(), ":none") == Some("0")
        })
        .then_output(|| UpdateItemOutput::builder().build());
    let event = event();
    assert!(table(&update).finish_claim(&entry(&event), "me", &BTreeSet::new(), None).await.expect("a result"));
}

#[tokio::test]
async fn recorded_outcome_is_not_overwritten() {
    let put = mock!(Client::put_item)
        .match_requests(|request| {
            let condition = "attribute_not_exists(id) OR (attribute_not_exists(outcome) AND claimed_until <= :now)";
            request.condition_expression() == Some(condition)
                && request.expression_attribute_values().and_then(|values| values.get(":now"))
                    == Some(&milliseconds(now()))
                && value(request.item(), "outcome") == Some("muted")
        })
        .sequence()
        .output(|| PutItemOutput::builder().build())
        .error(put_condition_failed)
        .build();
    let (table, event) = (table(&put), event());
    for _ in 0..2 {
        table.record_outcome(&entry(&event), "muted", now()).await.expect("no error");
    }
    assert_eq!(put.num_calls(), 2);
}

#[tokio::test]
async fn claim_repeated_after_a_lost_response_is_held_by_its_nonce() {
    let failed = || {
        let failed = ConditionalCheckFailedException::builder().item("claimed_by", text("mine")).item("sent", phone());
        UpdateItemError::ConditionalCheckFailedException(failed.build())
    };
    let update = mock!(Client::update_item)
        .match_requests(|request| {
            request.return_values_on_condition_check_failure() == Some(&ReturnValuesOnConditionCheckFailure::AllOld)
        })
        .sequence()
        .error(failed)
        .error(failed)
        .error(failed)
        .error(failed)
        .build();
    let (table, event, none) = (table(&update), event(), BTreeSet::new());
    let claimed = Claim::Claimed { sent: ["phone".to_owned()].into() };
    assert_eq!(table.claim(&entry(&event), "mine", now(), now()).await.expect("a claim"), claimed);
    assert_eq!(table.claim(&entry(&event), "other", now(), now()).await.expect("a claim"), Claim::Held);
    // The same for the end of a claim.
    assert!(table.finish_claim(&entry(&event), "mine", &none, Some("sent")).await.expect("a result"));
    assert!(!table.finish_claim(&entry(&event), "other", &none, Some("sent")).await.expect("a result"));
}

#[tokio::test]
async fn end_of_a_page_is_decided_once() {
    let decided = |is_enqueued: bool| {
        let output = UpdateItemOutput::builder().attributes("next", text("jun"));
        if is_enqueued { output.attributes("is_enqueued", AttributeValue::Bool(true)) } else { output }.build()
    };
    let update = mock!(Client::update_item)
        .match_requests(|request| {
            value(request.key(), "id") == Some("bound#story#main/7/1#3")
                && request.update_expression()
                    == Some("SET #next = if_not_exists(#next, :next), expires_at = :expires_at")
                && value(request.expression_attribute_values(), ":expires_at") == Some("1805673600")
        })
        .sequence()
        .output(move || decided(false))
        .output(move || decided(true))
        .output(|| UpdateItemOutput::builder().build())
        .build();
    let (table, event) = (table(&update), event());
    for (last, is_enqueued) in [("jun", false), ("hana", true)] {
        let bound = table.decide_page_bound(&event, "story", 3, last).await.expect("a bound");
        assert_eq!(bound, PageBound { last: "jun".to_owned(), is_enqueued });
    }
    let failure = table.decide_page_bound(&event, "story", 3, "jun").await.expect_err("a row without an end");
    assert_eq!(failure.kind, function_kit::failure::Kind::Bug);
}

fn table_of(rules: &[&Rule]) -> LedgerTable {
    LedgerTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, rules), "ledger".to_owned())
}

/// Claims for these recipients, each with its name as the nonce.
fn claims<'a>(event: &'a Event, recipients: &[&'a str]) -> Vec<ClaimRequest<'a>> {
    let claim = |recipient: &&'a str| ClaimRequest {
        entry: Entry { recipient, ..entry(event) },
        nonce: (*recipient).to_owned(),
    };
    recipients.iter().map(claim).collect()
}

fn responses(codes: &[Option<BatchStatementErrorCodeEnum>]) -> BatchExecuteStatementOutput {
    let response = |code: &Option<BatchStatementErrorCodeEnum>| {
        let error = code.clone().map(|code| BatchStatementError::builder().code(code).build());
        BatchStatementResponse::builder().set_error(error).build()
    };
    BatchExecuteStatementOutput::builder().set_responses(Some(codes.iter().map(response).collect())).build()
}

#[tokio::test]
async fn claims_that_a_batch_does_not_insert_are_made_one_by_one() {
    use BatchStatementErrorCodeEnum::{DuplicateItem, ThrottlingError};
    let batch = mock!(Client::batch_execute_statement)
        .match_requests(|request| {
            let statements = request.statements();
            let insert = "INSERT INTO \"ledger\" VALUE {'id': ?, 'claimed_by': ?, 'claimed_until': ?, 'expires_at': ?}";
            let parameters = [text("told#like-story#main/7/1#mina"), text("mina")];
            statements.len() == 3
                && statements.iter().all(|statement| statement.statement() == insert)
                && statements[0].parameters()[..2] == parameters
                && statements[0].parameters()[2..] == [number(1_795_305_600_000_u64), number(1_805_673_600)]
        })
        .then_output(|| responses(&[None, Some(DuplicateItem), Some(ThrottlingError)]));
    let single = |recipient: &'static str| {
        mock!(Client::update_item).match_requests(move |request| {
            value(request.key(), "id") == Some(format!("told#like-story#main/7/1#{recipient}").as_str())
                && value(request.expression_attribute_values(), ":me") == Some(recipient)
        })
    };
    let exists = single("jun").then_error(|| condition_failed("outcome"));
    let throttled = single("sora").then_output(|| UpdateItemOutput::builder().attributes("sent", phone()).build());
    let (table, event) = (table_of(&[&batch, &exists, &throttled]), event());
    let results = table.claim_all(&claims(&event, &["mina", "jun", "sora"]), now(), now()).await;
    let results: Vec<_> = results.into_iter().map(|result| result.expect("a claim")).collect();
    let sent = |sent: &[&str]| Claim::Claimed { sent: sent.iter().map(|id| (*id).to_owned()).collect() };
    assert_eq!(results, [sent(&[]), Claim::Settled("sent".to_owned()), sent(&["phone"])]);
    assert_eq!(batch.num_calls(), 1);
}

#[tokio::test]
async fn batch_that_fails_is_repeated_one_by_one() {
    let batch = mock!(Client::batch_execute_statement)
        .then_error(|| BatchExecuteStatementError::InternalServerError(InternalServerError::builder().build()));
    let claim = mock!(Client::update_item).then_output(|| UpdateItemOutput::builder().build());
    let put = mock!(Client::put_item).then_output(|| PutItemOutput::builder().build());
    let (table, event) = (table_of(&[&batch, &claim, &put]), event());
    let claims = claims(&event, &["mina", "jun"]);
    assert!(table.claim_all(&claims, now(), now()).await.iter().all(Result::is_ok));
    let outcomes: Vec<_> = claims.iter().map(|claim| (claim.entry, "muted")).collect();
    assert!(table.record_outcomes(&outcomes, now()).await.iter().all(Result::is_ok));
    assert_eq!((claim.num_calls(), put.num_calls()), (2, 2));
}

#[tokio::test]
async fn claims_are_finished_in_a_batch_only_by_their_nonces() {
    use BatchStatementErrorCodeEnum::ConditionalCheckFailed;
    let batch = mock!(Client::batch_execute_statement)
        .match_requests(|request| {
            let statements = request.statements();
            let update = |assignments: &str| {
                format!(
                    r#"UPDATE "ledger" SET "claimed_until" = ?{assignments} WHERE "id" = ? AND "claimed_by" = ? AND "outcome" IS MISSING"#
                )
            };
            let key = [text("told#like-story#main/7/1#mina"), text("mina")];
            statements[0].statement() == update(r#" SET "sent" = ? SET "outcome" = ?"#)
                && statements[0].parameters()[..3] == [number(0), phone(), text("sent")]
                && statements[0].parameters()[3..] == key
                && statements[1].statement() == update("")
                && statements[1].parameters().len() == 3
        })
        .then_output(|| responses(&[None, Some(ConditionalCheckFailed)]));
    let lost = mock!(Client::update_item).then_error(|| condition_failed("claimed_by"));
    let (table, event) = (table_of(&[&batch, &lost]), event());
    let mut claims = claims(&event, &["mina", "jun"]).into_iter();
    let mut result = |sent: &[&str], outcome| ClaimResult {
        claim: claims.next().expect("a claim"),
        sent: sent.iter().map(|id| (*id).to_owned()).collect(),
        outcome,
    };
    let held = table.finish_claims(&[result(&["phone"], Some("sent")), result(&[], None)]).await;
    let held: Vec<_> = held.into_iter().map(|held| held.expect("a result")).collect();
    assert_eq!(held, [true, false]);
}

#[tokio::test]
async fn outcomes_recorded_in_a_batch_overwrite_only_claims_that_have_expired() {
    use BatchStatementErrorCodeEnum::DuplicateItem;
    let batch = mock!(Client::batch_execute_statement)
        .match_requests(|request| {
            let insert = "INSERT INTO \"ledger\" VALUE {'id': ?, 'outcome': ?, 'expires_at': ?}";
            let [_, second] = request.statements() else { return false };
            second.statement() == insert && second.parameters()[1] == text("no_device")
        })
        .then_output(|| responses(&[Some(DuplicateItem), None]));
    let put = mock!(Client::put_item).then_error(put_condition_failed);
    let (table, event) = (table_of(&[&batch, &put]), event());
    let outcomes = [("mina", "muted"), ("jun", "no_device")]
        .map(|(recipient, outcome)| (Entry { recipient, ..entry(&event) }, outcome));
    assert!(table.record_outcomes(&outcomes, now()).await.iter().all(Result::is_ok));
    assert_eq!(put.num_calls(), 1);
}
