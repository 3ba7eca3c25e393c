//! Endpoints that are not AWS's own: `AWS_ENDPOINT_URL`, and `AWS_ENDPOINT_URL_SNS` and so on for single services.
//! (AWS SDKs and Tools Reference Guide, "Service-specific endpoints".)

use std::env;

use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

/// The variable's name, and the beginning of a service's own.
const VARIABLE: &str = "AWS_ENDPOINT_URL";

/// The endpoints of single services, by the environment.
#[derive(Debug)]
pub struct Endpoints;

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        // The SDK asks here for other settings, too. Lambda has none of them.
        (key.env() == VARIABLE).then(|| variable_of(key.service_id())).and_then(|name| set(&name))
    }
}

/// The endpoint of all services that have none of their own.
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
    fn services_are_called_as_the_sdk_calls_them() {
        assert_eq!(variable_of("SNS"), "AWS_ENDPOINT_URL_SNS");
        assert_eq!(variable_of("Secrets Manager"), "AWS_ENDPOINT_URL_SECRETS_MANAGER");
    }
}
