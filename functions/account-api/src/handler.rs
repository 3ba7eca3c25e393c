use api::{AccountErasure, ErasureState, Problem};
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use domain::account::{ERASURE_STEPS, Erasure};
use jiff::{SignedDuration, Timestamp};
use rest_kit::response::{HandlerError, accepted, json, respond};
use store::accounts::ErasureProgress;
use tracing::info;

use crate::{exports, ports::Ports, request::Request};

/// Responds to a request, also if it fails.
pub async fn handle(ports: &impl Ports, now: Timestamp, request: &ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse {
    respond(request, route(ports, now, request).await)
}

async fn route(
    ports: &impl Ports,
    now: Timestamp,
    request: &ApiGatewayV2httpRequest,
) -> Result<ApiGatewayV2httpResponse, HandlerError> {
    match Request::parse(request, now)? {
        Request::Erase { user, username } => {
            let progress = ports.begin(user, now).await?;
            if progress.finished_at.is_none() {
                // Also if it was asked for before: the message of an earlier request may not have been sent.
                let erasure = Erasure { started_at: progress.started_at, ..Erasure::start(user, username, now) };
                ports.enqueue(&erasure, SignedDuration::ZERO).await?;
                info!("erasure begins");
            }
            Ok(accepted(&view(progress)))
        }
        Request::BeginExport { user, username } => Ok(accepted(&exports::begin(ports, user, username, now).await?)),
        Request::GetExport { user, id } => Ok(json(&exports::get(ports, user, id, now).await?)),
        Request::Progress { user } => Ok(json(&view(ports.progress(user).await?.ok_or_else(Problem::not_found)?))),
    }
}

fn view(progress: ErasureProgress) -> AccountErasure {
    let ErasureProgress { started_at, done, finished_at } = progress;
    AccountErasure {
        state: if finished_at.is_some() { ErasureState::Finished } else { ErasureState::Running },
        steps_done: done.min(ERASURE_STEPS),
        steps: ERASURE_STEPS,
        started_at: format!("{started_at:.3}"),
        finished_at: finished_at.map(|at| format!("{at:.3}")),
    }
}
