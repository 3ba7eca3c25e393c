//! Copies of everything that is stored about a person: requests for them. `export-worker` makes them.

use api::{AccountExport, AccountExportState, Problem, ProblemType};
use domain::{
    export::{ExportJob, ExportState},
    upload::seconds_to_next_day,
};
use function_kit::failure::Failure;
use jiff::Timestamp;
use rest_kit::response::HandlerError;
use store::exports::StoredExport;
use tracing::info;

use crate::ports::{Exports, Ports};

/// Begins a copy, or returns the one that is being made.
///
/// # Errors
/// 409 while the account is being erased; 429 if there were too many today.
pub async fn begin(
    ports: &impl Ports,
    user: &str,
    username: &str,
    now: Timestamp,
) -> Result<AccountExport, HandlerError> {
    // Also after its end, for a token that is still valid.
    if ports.progress(user).await?.is_some() {
        return Err(ProblemType::Conflict.with_detail("the account is being erased").into());
    }
    let is_pending = |export: &StoredExport| export.state_at(now) == ExportState::Pending;
    let export = match ports.export(user).await?.filter(is_pending) {
        Some(pending) => pending,
        None => {
            if !ports.count_export(user, now).await? {
                let problem = ProblemType::TooManyRequests.with_detail("no more exports are made today");
                return Err(HandlerError::Later(problem, seconds_to_next_day(now)));
            }
            let export = StoredExport::new(user, ports.nonce()?, ports.nonce()?, now);
            if ports.create_export(&export).await? {
                info!("export begins");
                export
            } else {
                // Another request was first.
                let other = ports.export(user).await?;
                other.ok_or_else(|| Failure::transient("begin an export", "others change it at the same time"))?
            }
        }
    };
    // Also if it was asked for before: the message of an earlier request may not have been sent.
    let job = ExportJob { user: user.to_owned(), username: username.to_owned(), id: export.id.clone(), turn: 0 };
    ports.enqueue_export(&job).await?;
    view(ports, &export, now).await
}

/// The copy `id` of a person.
///
/// # Errors
/// 404 if the person has none, or another one.
pub async fn get(ports: &impl Exports, user: &str, id: &str, now: Timestamp) -> Result<AccountExport, HandlerError> {
    let export = ports.export(user).await?.filter(|export| export.id == id).ok_or_else(Problem::not_found)?;
    view(ports, &export, now).await
}

async fn view(ports: &impl Exports, export: &StoredExport, now: Timestamp) -> Result<AccountExport, HandlerError> {
    let time = |time: Timestamp| format!("{time:.3}");
    let state = export.state_at(now);
    let link = match state {
        ExportState::Ready { until } => Some(ports.sign(export, now, until).await?),
        ExportState::Pending | ExportState::Failed | ExportState::Expired => None,
    };
    let (url, expires_at) = link.map(|link| (link.url, time(link.expires_at))).unzip();
    Ok(AccountExport {
        id: export.id.clone(),
        state: match state {
            ExportState::Pending => AccountExportState::Pending,
            ExportState::Ready { .. } => AccountExportState::Ready,
            ExportState::Failed => AccountExportState::Failed,
            ExportState::Expired => AccountExportState::Expired,
        },
        created_at: time(export.created_at),
        ready_at: export.ready_at.map(time),
        bytes: export.size,
        files: export.files,
        url,
        url_expires_at: expires_at,
    })
}
