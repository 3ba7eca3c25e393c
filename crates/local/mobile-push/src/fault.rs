use serde::{Deserialize, Serialize};

use super::sns_error::SnsError;

/// A fault in calls of one action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// The failure.
    pub failure: Failure,
    /// The affected action.
    #[serde(default = "publish")]
    pub action: String,
    /// Restricts the fault to calls about this token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// The kinds of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Failure {
    /// 400 `Throttling`.
    Throttled,
    /// 500 `InternalError`.
    InternalError,
    /// 404 `NotFound` for an existing resource: lookups are eventually consistent.
    NotFound,
    /// 403 `AuthorizationError`.
    NotAuthorised,
    /// The call is processed, but the connection closes without a response.
    LostAnswer,
}

/// A request to inject a fault.
pub type FaultRequest = http_server::FaultRequest<Fault>;

/// An injected fault and its counters.
pub type ActiveFault = http_server::ActiveFault<Fault>;

impl Fault {
    /// A failure of every `Publish`.
    pub fn new(failure: Failure) -> Self {
        Self { failure, action: publish(), token: None }
    }

    /// Changes the affected action.
    #[must_use]
    pub fn for_action(self, action: &str) -> Self {
        Self { action: action.to_owned(), ..self }
    }

    /// Restricts the fault to calls about `token`.
    #[must_use]
    pub fn for_token(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }

    /// Whether the fault affects this call.
    pub fn matches(&self, action: &str, token: Option<&str>) -> bool {
        self.action == action && (self.token.is_none() || self.token.as_deref() == token)
    }
}

impl Failure {
    /// The error response. `None` if the call is processed.
    pub fn error(self, action: &str, resource: &str) -> Option<SnsError> {
        match self {
            Self::Throttled => Some(SnsError::throttled()),
            Self::InternalError => Some(SnsError::internal()),
            Self::NotFound => Some(SnsError::not_found("Endpoint")),
            Self::NotAuthorised => Some(SnsError::not_authorized("injected", action, resource)),
            Self::LostAnswer => None,
        }
    }
}

fn publish() -> String {
    "Publish".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_request_is_read_from_json() {
        let read = |text: &str| {
            serde_json::from_str::<FaultRequest>(text).map(|request| (request.fault, request.times.map(u32::from)))
        };
        let throttled = Fault::new(Failure::Throttled);
        assert_eq!(read(r#"{"fault":{"failure":"throttled"},"times":3}"#).unwrap(), (throttled, Some(3)));
        let hidden = Fault::new(Failure::NotFound).for_action("GetEndpointAttributes").for_token("t");
        let text = r#"{"fault":{"failure":"notFound","action":"GetEndpointAttributes","token":"t"}}"#;
        assert_eq!(read(text).unwrap(), (hidden, None));
        for wrong in [r#"{"fault":{"failure":"fire"}}"#, r#"{"fault":{"failure":"throttled"},"times":0}"#] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn fault_affects_its_action_and_token_only() {
        let fault = Fault::new(Failure::Throttled).for_token("mina");
        assert!(fault.matches("Publish", Some("mina")));
        assert!(!fault.matches("Publish", Some("jun")) && !fault.matches("Publish", None));
        assert!(!fault.matches("DeleteEndpoint", Some("mina")));
        assert!(Fault::new(Failure::Throttled).matches("Publish", None));
    }
}
