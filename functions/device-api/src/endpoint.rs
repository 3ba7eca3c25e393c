use domain::push::Token;
use serde::Deserialize;

/// An endpoint of the SNS platform application. An endpoint stands for one app on one phone, and keeps its token for life:
/// a device with a new token gets another endpoint. So a device's row leads to no other phone than that of its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub arn: String,
    pub token: Option<String>,
    pub is_enabled: bool,
    /// The device that the version before had registered last. This version clears it.
    pub owner: Option<Owner>,
}

/// Owner of an endpoint, which the version before stored as JSON in the custom user data.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Owner {
    /// The user's `sub`.
    pub user: String,
    /// The device's id.
    pub device: String,
}

/// A page of endpoints.
#[derive(Debug, Default)]
pub struct EndpointPage {
    pub endpoints: Vec<Endpoint>,
    /// Where the next page starts, if there is one.
    pub next: Option<String>,
}

impl Endpoint {
    pub fn has_token(&self, token: &Token) -> bool {
        self.token.as_deref() == Some(token.as_str())
    }
}
