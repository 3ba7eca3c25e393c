use std::panic::AssertUnwindSafe;

use function_kit::failure::Failure;
use futures_util::FutureExt;
use serde::Deserialize;
use serde_json::Value;
use tracing::{error, info, instrument};

use crate::{
    application::{self, Applications},
    credentials::Credentials,
    event::{Feedback, Properties, Request, RequestType, Response},
    response_sender::ResponseSender,
};

/// Clients of AWS.
pub struct Ports {
    pub applications: Applications,
    pub credentials: Credentials,
    pub responses: ResponseSender,
}

/// Processes a request of CloudFormation and responds to it, also if it fails.
///
/// # Errors
/// If no response could be sent. Lambda then invokes the function again, so each step can run twice.
pub async fn handle(ports: &Ports, event: Value) -> Result<(), Failure> {
    let request: Request = serde_json::from_value(event).map_err(|error| Failure::bug("read the request", error))?;
    process(ports, request).await
}

#[instrument(
    level = "error",
    skip_all,
    fields(request_type = ?request.request_type, logical_id = request.logical_resource_id)
)]
async fn process(ports: &Ports, request: Request) -> Result<(), Failure> {
    let outcome = AssertUnwindSafe(apply(ports, &request)).catch_unwind().await;
    let outcome = outcome.unwrap_or_else(|panic| Err(Failure::panicked("process the request", &*panic)));
    match &outcome {
        Ok(id) => info!(id, "succeeded"),
        Err(failure) => error!(kind = failure.kind.as_str(), %failure, "failed"),
    }
    let url = request.response_url.clone();
    let response = Response::new(request, outcome.map_err(|failure| failure.to_string()));
    ports.responses.send(&url, &response).await
}

/// Creates, updates or deletes the application. Returns the physical id, which is the application's ARN.
async fn apply(ports: &Ports, request: &Request) -> Result<String, Failure> {
    let current = request.physical_resource_id.as_deref();
    if request.request_type == RequestType::Delete {
        // The physical id of a failed creation is no ARN.
        let current = current.unwrap_or("none");
        if application::name_in_arn(current).is_some() {
            ports.applications.delete(current).await?;
        }
        return Ok(current.to_owned());
    }
    let Properties { name, credentials_secret_arn, feedback } =
        Properties::deserialize(&request.resource_properties)
            .map_err(|error| Failure::bug("read the resource's properties", error))?;
    let credential = ports.credentials.service_account(&credentials_secret_arn).await?;
    if let Some(current) = current.filter(|current| application::name_in_arn(current) == Some(&name)) {
        let previous = Feedback::deserialize(&request.old_resource_properties).unwrap_or_default();
        if ports.applications.update(current, credential.clone(), &feedback, &previous).await? {
            return Ok(current.to_owned());
        }
    }
    // Also for a new name: CloudFormation then deletes the resource with the old physical id.
    ports.applications.create(&request.stack_id, &name, credential, &feedback).await
}
