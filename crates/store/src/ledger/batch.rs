//! Claims and outcomes of many entries in one call. Each has the condition of the call for one entry; what a batch does not
//! apply is repeated by that call, which also tells why.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use function_kit::failure::Failure;
use futures_util::future::join_all;
use jiff::Timestamp;

use super::{Claim, Entry, LedgerTable};
use crate::{
    attribute::{milliseconds, number, text},
    partiql::{Statement, StatementOutcome, execute},
    retention::expiry,
};

/// A claim of an entry.
#[derive(Debug, Clone)]
pub struct ClaimRequest<'a> {
    /// The entry.
    pub entry: Entry<'a>,
    /// Unique among all claims.
    pub nonce: String,
}

/// The end of a claim.
#[derive(Debug, Clone)]
pub struct ClaimResult<'a> {
    /// The claim.
    pub claim: ClaimRequest<'a>,
    /// The ids of the devices that this claim and earlier ones have sent to.
    pub sent: BTreeSet<String>,
    /// The outcome, if the entry becomes final.
    pub outcome: Option<&'static str>,
}

impl LedgerTable {
    /// [Claims](Self::claim) different entries. Returns the result of each.
    pub async fn claim_all(
        &self,
        claims: &[ClaimRequest<'_>],
        now: Timestamp,
        until: Timestamp,
    ) -> Vec<Result<Claim, Failure>> {
        let insert = |ClaimRequest { entry, nonce }: &ClaimRequest<'_>| Statement {
            text: format!(
                r#"INSERT INTO "{}" VALUE {{'id': ?, 'claimed_by': ?, 'claimed_until': ?, 'expires_at': ?}}"#,
                self.name
            ),
            parameters: vec![entry.id(), text(nonce), milliseconds(until), expiry(entry.event.committed_at)],
        };
        let outcomes = execute(&self.client, claims.iter().map(insert).collect()).await;
        let complete = async |(claim, outcome): (&ClaimRequest<'_>, StatementOutcome)| match outcome {
            StatementOutcome::Applied => Ok(Claim::Claimed { sent: BTreeSet::new() }),
            StatementOutcome::Exists | StatementOutcome::Failed => {
                self.claim(&claim.entry, &claim.nonce, now, until).await
            }
        };
        join_all(claims.iter().zip(outcomes).map(complete)).await
    }

    /// [Finishes](Self::finish_claim) claims of different entries. Returns the result of each.
    pub async fn finish_claims(&self, results: &[ClaimResult<'_>]) -> Vec<Result<bool, Failure>> {
        let outcomes = execute(&self.client, results.iter().map(|result| self.finish(result)).collect()).await;
        let complete = async |(result, outcome): (&ClaimResult<'_>, StatementOutcome)| match outcome {
            StatementOutcome::Applied => Ok(true),
            StatementOutcome::Exists | StatementOutcome::Failed => {
                let ClaimResult { claim, sent, outcome } = result;
                self.finish_claim(&claim.entry, &claim.nonce, sent, *outcome).await
            }
        };
        join_all(results.iter().zip(outcomes).map(complete)).await
    }

    fn finish(&self, ClaimResult { claim, sent, outcome }: &ClaimResult<'_>) -> Statement {
        let mut assignments = vec![r#"SET "claimed_until" = ?"#];
        let mut parameters = vec![number(0)];
        if !sent.is_empty() {
            assignments.push(r#"SET "sent" = ?"#);
            parameters.push(AttributeValue::Ss(sent.iter().cloned().collect()));
        }
        if let Some(outcome) = outcome {
            assignments.push(r#"SET "outcome" = ?"#);
            parameters.push(text(*outcome));
        }
        parameters.extend([claim.entry.id(), text(&claim.nonce)]);
        let (table, assignments) = (&self.name, assignments.join(" "));
        let condition = r#""id" = ? AND "claimed_by" = ? AND "outcome" IS MISSING"#;
        Statement { text: format!(r#"UPDATE "{table}" {assignments} WHERE {condition}"#), parameters }
    }

    /// [Records](Self::record_outcome) the outcomes of different entries. Returns the result of each.
    pub async fn record_outcomes(
        &self,
        outcomes: &[(Entry<'_>, &'static str)],
        now: Timestamp,
    ) -> Vec<Result<(), Failure>> {
        let insert = |(entry, outcome): &(Entry<'_>, &'static str)| Statement {
            text: format!(r#"INSERT INTO "{}" VALUE {{'id': ?, 'outcome': ?, 'expires_at': ?}}"#, self.name),
            parameters: vec![entry.id(), text(*outcome), expiry(entry.event.committed_at)],
        };
        let done = execute(&self.client, outcomes.iter().map(insert).collect()).await;
        let complete = async |((entry, outcome), done): (&(Entry<'_>, &'static str), StatementOutcome)| match done {
            StatementOutcome::Applied => Ok(()),
            // An INSERT has no condition for a claim that has expired.
            StatementOutcome::Exists | StatementOutcome::Failed => self.record_outcome(entry, outcome, now).await,
        };
        join_all(outcomes.iter().zip(done).map(complete)).await
    }
}
