use api::{Device, DeviceList, NotificationPreferences, Problem};
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use jiff::Timestamp;
use rest_kit::response::{HandlerError, json, no_content, respond};

use crate::{
    devices,
    ports::{Devices, Endpoints, Ports},
    request::{Operation, Request},
};

/// Responds to a request, also if it fails.
pub async fn handle<D: Devices, E: Endpoints>(
    ports: &Ports<D, E>,
    now: Timestamp,
    request: &ApiGatewayV2httpRequest,
) -> ApiGatewayV2httpResponse {
    respond(request, route(ports, now, request).await)
}

async fn route<D: Devices, E: Endpoints>(
    ports: &Ports<D, E>,
    now: Timestamp,
    request: &ApiGatewayV2httpRequest,
) -> Result<ApiGatewayV2httpResponse, HandlerError> {
    let Request { user, operation } = Request::parse(request)?;
    Ok(match operation {
        Operation::ListDevices => {
            let devices = ports.devices.list(user).await?;
            json(&DeviceList { items: devices.into_iter().map(view).collect() })
        }
        Operation::GetDevice(id) => {
            let device = ports.devices.get(user, id).await?.ok_or_else(Problem::not_found)?;
            json(&view(device))
        }
        Operation::PutDevice(..) | Operation::PutPreferences(_) if ports.devices.is_erased(user).await? => {
            // The access token outlives the account.
            return Err(Problem::unauthorized().into());
        }
        Operation::PutDevice(id, registration) => {
            json(&view(devices::sign_in(ports, now, user, id, registration).await?))
        }
        Operation::DeleteDevice(id) => {
            devices::sign_out(ports, user, id).await?;
            no_content()
        }
        Operation::GetPreferences => json(&NotificationPreferences::from(ports.devices.preferences(user).await?)),
        Operation::PutPreferences(preferences) => {
            ports.devices.put_preferences(user, &preferences).await?;
            json(&NotificationPreferences::from(preferences))
        }
    })
}

/// The device as its user sees it. Token and endpoint stay internal.
fn view(device: store::devices::Device) -> Device {
    let store::devices::Device { id, platform, language, last_seen, .. } = device;
    Device { id, platform, language, last_seen: format!("{last_seen:.3}") }
}
