use aws_sdk_dynamodb::{
    operation::{put_item::PutItemOutput, update_item::UpdateItemOutput},
    types::error::ConditionalCheckFailedException,
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
    assert_eq!(claims, [claimed, Claim::Held, Claim::Settled]);
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
            request.condition_expression() == Some("attribute_not_exists(id)")
                && value(request.item(), "outcome") == Some("muted")
        })
        .sequence()
        .output(|| PutItemOutput::builder().build())
        .error(put_condition_failed)
        .build();
    let (table, event) = (table(&put), event());
    for _ in 0..2 {
        table.record_outcome(&entry(&event), "muted").await.expect("no error");
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
