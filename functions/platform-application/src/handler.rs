use std::panic::AssertUnwindSafe;

use function_kit::failure::Failure;
use futures_util::FutureExt;
use serde::Deserialize;
use serde_json::Value;
use tracing::{error, info};

use crate::{
    answer::Answers,
    application::{self, Applications},
    credentials::Credentials,
    event::{Events, Properties, Request, RequestType, Response},
};

/// What the handler reads and writes.
pub struct Ports {
    pub applications: Applications,
    pub credentials: Credentials,
    pub answers: Answers,
}

/// Does what CloudFormation asks, and answers it; a failure is an answer, too.
///
/// # Errors
/// If no answer could be given: Lambda then has the function try again, and all of this may be
/// done twice.
pub async fn handle(ports: &Ports, event: Value) -> Result<(), Failure> {
    let request: Request = serde_json::from_value(event).map_err(|error| Failure::bug("read the request", error))?;
    let outcome = AssertUnwindSafe(fulfil(ports, &request)).catch_unwind().await;
    let outcome = outcome.unwrap_or_else(|panic| Err(Failure::panicked("fulfil the request", &*panic)));
    let (request_type, logical_id) = (request.request_type, request.logical_resource_id.clone());
    match &outcome {
        Ok(id) => info!(?request_type, logical_id, id, "done"),
        Err(failure) => error!(?request_type, logical_id, kind = failure.kind.as_str(), %failure, "not done"),
    }
    let url = request.response_url.clone();
    let response = Response::to(request, outcome.map_err(|failure| failure.to_string()));
    ports.answers.send(&url, &response).await
}

/// Does what is asked; the resource's physical id is the application's ARN.
async fn fulfil(ports: &Ports, request: &Request) -> Result<String, Failure> {
    let known = request.physical_resource_id.as_deref();
    if request.request_type == RequestType::Delete {
        // What was never created has another id, or none.
        let known = known.unwrap_or("none");
        if application::name(known).is_some() {
            ports.applications.delete(known).await?;
        }
        return Ok(known.to_owned());
    }
    let Properties { name, credentials_secret_arn, events } = Properties::deserialize(&request.resource_properties)
        .map_err(|error| Failure::bug("read the resource's properties", error))?;
    let credential = ports.credentials.service_account(&credentials_secret_arn).await?;
    if let Some(known) = known.filter(|known| application::name(known) == Some(&name)) {
        let before = Events::deserialize(&request.old_resource_properties).unwrap_or_default();
        if ports.applications.update(known, credential.clone(), &events, &before).await? {
            return Ok(known.to_owned());
        }
    }
    // Also where the name is another: CloudFormation deletes what has the former id afterwards.
    ports.applications.create(&request.stack_id, &name, credential, &events).await
}
