//! Endpoints from the environment: `AWS_ENDPOINT_URL` for all services, `AWS_ENDPOINT_URL_<SERVICE>` for one.
//! (AWS SDKs and Tools Reference Guide, "Service-specific endpoints".)

use std::env;

use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

/// The variable of all services, and the prefix of those of one service.
const VARIABLE: &str = "AWS_ENDPOINT_URL";

/// Reads the endpoint of one service from the environment.
#[derive(Debug)]
pub struct Endpoints;

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        // The SDK also asks for other settings, which Lambda does not have.
        (key.env() == VARIABLE).then(|| variable_of(key.service_id())).and_then(|name| set(&name))
    }
}

/// The endpoint of a service that no SDK client calls; `None` for that of AWS.
pub fn endpoint_url(service_id: &str) -> Option<String> {
    set(&variable_of(service_id)).or_else(of_all_services)
}

/// The endpoint of all services without their own.
pub fn of_all_services() -> Option<String> {
    set(VARIABLE)
}

fn set(variable: &str) -> Option<String> {
    env::var(variable).ok().filter(|url| !url.is_empty())
}

fn variable_of(service_id: &str) -> String {
    let service = service_id.to_ascii_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    format!("{VARIABLE}_{service}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_of_a_service_is_named_as_in_other_sdks() {
        assert_eq!(variable_of("SNS"), "AWS_ENDPOINT_URL_SNS");
        assert_eq!(variable_of("Secrets Manager"), "AWS_ENDPOINT_URL_SECRETS_MANAGER");
    }
}
