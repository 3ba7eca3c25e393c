use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use function_kit::http::{Problem, failed, json, no_content, problem};
use jiff::Timestamp;

use crate::{
    answer::{Item, List},
    devices::{self, Ports},
    error::Error,
    request::{Request, Wish},
};

/// Answers one request; a failure is an answer, too.
pub async fn handle(ports: &Ports, now: Timestamp, request: &ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse {
    match answer(ports, now, request).await {
        Ok(answer) => answer,
        Err(Error::Refused(refusal)) => problem(&refusal),
        Err(Error::Failed(failure)) => failed(request, &failure),
    }
}

async fn answer(
    ports: &Ports,
    now: Timestamp,
    request: &ApiGatewayV2httpRequest,
) -> Result<ApiGatewayV2httpResponse, Error> {
    let Request { user, wish } = Request::parse(request)?;
    Ok(match wish {
        Wish::ListDevices => {
            let devices = ports.table.list(user).await?;
            json(&List { items: devices.into_iter().map(Item::from).collect() })
        }
        Wish::GetDevice(id) => {
            let device = ports.table.get(user, id).await?.ok_or_else(Problem::not_found)?;
            json(&Item::from(device))
        }
        Wish::PutDevice(id, registration) => {
            json(&Item::from(devices::sign_in(ports, now, user, id, registration).await?))
        }
        Wish::DeleteDevice(id) => {
            devices::sign_out(ports, user, id).await?;
            no_content()
        }
        Wish::GetPreferences => json(&ports.table.preferences(user).await?),
        Wish::PutPreferences(preferences) => {
            ports.table.put_preferences(user, &preferences).await?;
            json(&preferences)
        }
    })
}
