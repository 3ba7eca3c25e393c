use std::fmt;

use anyhow::{Context, Result, bail, ensure};
use domain::{
    media::{Decision, MediaId, MediaItem, State},
    user_report::ReportReason,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use store::{
    media::{MediaTable, Projection},
    reports::{Action, ReportTable},
};

use super::{ReprocessOptions, RestoreOptions, TakeDownOptions, reprocess};
use crate::{Session, preflight::caller_arn};

/// How often a decision is made again because the item has changed since it was read.
const MAX_ATTEMPTS: usize = 5;

/// An item, and what operators did to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionReport {
    /// Whether the decision was applied. `false`: the item is only shown.
    pub applied: bool,
    /// The item.
    pub id: MediaId,
    /// Its state: with `applied`, the new one.
    pub state: &'static str,
    /// Earlier actions, the oldest first; with `applied`, the last is this one.
    pub history: Vec<PastAction>,
}

/// What an operator did to an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PastAction {
    /// `take-down` or `restore`.
    pub action: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReportReason>,
    /// ARN of the operator's identity.
    pub by: String,
    /// When.
    pub at: String,
}

/// Takes an item down, or shows it.
///
/// # Errors
/// If the item does not exist or was deleted, or a call fails. The command can be repeated.
pub async fn take_down(session: &Session, options: &TakeDownOptions) -> Result<DecisionReport> {
    let TakeDownOptions { id, reason, apply } = *options;
    let tables = Tables::of(session)?;
    let item = tables.item(id).await?;
    ensure!(!matches!(item.state, State::Deleted { .. }), "the item was deleted");
    if apply {
        tables.record(session, id, "take-down", Some(reason)).await?;
        tables.decide(session, id, |item| item.take_down(reason)).await?;
        send_event(session, id).await?;
    }
    tables.report(id, apply).await
}

/// Restores an item that was taken down, or shows it. An item whose restoration was interrupted is processed.
///
/// # Errors
/// If the item is not taken down, or a call fails. The command can be repeated.
pub async fn restore(session: &Session, options: &RestoreOptions) -> Result<DecisionReport> {
    let RestoreOptions { id, apply } = *options;
    let tables = Tables::of(session)?;
    match tables.item(id).await?.state {
        State::TakenDown(..) if apply => {
            tables.record(session, id, "restore", None).await?;
            tables.decide(session, id, MediaItem::restore).await?;
            send_event(session, id).await?;
        }
        State::Processing(_) if apply => send_event(session, id).await?,
        State::TakenDown(..) | State::Processing(_) => {}
        State::Ready(..) | State::Failed(..) | State::Deleted { .. } => bail!("the item is not taken down"),
    }
    tables.report(id, apply).await
}

struct Tables {
    media: MediaTable,
    reports: ReportTable,
}

impl Tables {
    fn of(session: &Session) -> Result<Self> {
        Ok(Self {
            media: MediaTable::new(session.dynamodb.clone(), session.output("MediaTableName")?.to_owned()),
            reports: ReportTable::new(session.dynamodb.clone(), session.output("ReportsTableName")?.to_owned()),
        })
    }

    async fn item(&self, id: MediaId) -> Result<MediaItem> {
        self.media.get(id, Projection::Brief).await?.with_context(|| format!("there is no item {id}"))
    }

    /// Records the action before it happens: one that is interrupted is recorded, too.
    async fn record(&self, session: &Session, id: MediaId, action: &str, reason: Option<ReportReason>) -> Result<()> {
        let by = caller_arn(&session.calls).await?;
        Ok(self.reports.record(id, action, reason, &by, Timestamp::now()).await?)
    }

    /// Has metadata-writer store the decision that `decision` makes of the item.
    async fn decide(
        &self,
        session: &Session,
        id: MediaId,
        decision: impl Fn(&MediaItem) -> Option<Decision>,
    ) -> Result<()> {
        for _ in 0..MAX_ATTEMPTS {
            let item = self.item(id).await?;
            let decision = decision(&item).context("the item has changed, or has no further revision")?;
            let event = json!({"Records": [{"messageId": "decision", "body": serde_json::to_string(&decision)?}]});
            let response: Value = session.invoke(session.output("MetadataWriterName")?, &event).await?;
            let failures = response["batchItemFailures"].as_array();
            ensure!(
                failures.is_some_and(Vec::is_empty),
                "metadata-writer failed; see its log, and run the command again"
            );
            // Otherwise an event or a report was faster.
            if self.item(id).await?.position >= decision.position() {
                return Ok(());
            }
        }
        bail!("the item changes all the time; run the command again")
    }

    async fn report(&self, id: MediaId, applied: bool) -> Result<DecisionReport> {
        let state = match self.item(id).await?.state {
            State::Processing(_) => "processing",
            State::Ready(..) => "ready",
            State::Failed(..) => "failed",
            State::TakenDown(..) => "taken_down",
            State::Deleted { .. } => "deleted",
        };
        let history = self.reports.actions(id).await?.into_iter();
        let history = history.map(|Action { action, reason, by, at }| PastAction { action, reason, by, at }).collect();
        Ok(DecisionReport { applied, id, state, history })
    }
}

/// Sends the event of the original to its worker, at the item's position: the worker deletes the files, or makes them again.
async fn send_event(session: &Session, id: MediaId) -> Result<()> {
    let options = ReprocessOptions { id: vec![id], prefix: None, new_revision: false, apply: true };
    reprocess(session, &options).await.map(drop)
}

impl fmt::Display for DecisionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { applied, id, state, history } = self;
        write!(f, "{id}: {state}{}", if *applied { "" } else { ". Nothing was changed: --apply" })?;
        for PastAction { action, reason, by, at } in history {
            let reason = reason.map(|reason| format!(" ({})", reason.as_ref())).unwrap_or_default();
            write!(f, "\n    {at}  {action}{reason}  {by}")?;
        }
        Ok(())
    }
}
