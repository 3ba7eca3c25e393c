use serde::{Deserialize, Serialize};

use super::sns_error::SnsError;

/// What can go wrong with the calls of one action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub failure: Failure,
    /// The action that it matches.
    #[serde(default = "publish")]
    pub action: String,
    /// Only where this token is concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// How it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Failure {
    /// 400 `Throttling`.
    Throttled,
    /// 500 `InternalError`.
    InternalError,
    /// 404 `NotFound`, though it is there: look-ups are eventually consistent.
    NotFound,
    /// 403 `AuthorizationError`.
    NotAuthorised,
    /// It is done, but the connection ends instead of telling so.
    LostAnswer,
}

/// A fault that SNS is to show, and how often.
pub type FaultRequest = http_server::FaultRequest<Fault>;

/// A fault as it stands.
pub type ActiveFault = http_server::ActiveFault<Fault>;

impl Fault {
    /// `failure`, of every `Publish`.
    pub fn new(failure: Failure) -> Self {
        Self { failure, action: publish(), token: None }
    }

    /// The same, of another action.
    #[must_use]
    pub fn of(self, action: &str) -> Self {
        Self { action: action.to_owned(), ..self }
    }

    /// The same, only where `token` is concerned.
    #[must_use]
    pub fn for_token(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }

    /// Whether it matches this call.
    pub fn matches(&self, action: &str, token: Option<&str>) -> bool {
        self.action == action && (self.token.is_none() || self.token.as_deref() == token)
    }
}

impl Failure {
    /// What is answered instead of doing the call; nothing if it is done.
    pub fn sns_error(self, action: &str, resource: &str) -> Option<SnsError> {
        match self {
            Self::Throttled => Some(SnsError::throttled()),
            Self::InternalError => Some(SnsError::internal()),
            Self::NotFound => Some(SnsError::not_found("Endpoint")),
            Self::NotAuthorised => Some(SnsError::not_authorised("ordered", action, resource)),
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
    fn orders_are_small_documents() {
        let read =
            |text: &str| serde_json::from_str::<FaultRequest>(text).map(|order| (order.fault, order.times.map(u32::from)));
        let throttled = Fault::new(Failure::Throttled);
        assert_eq!(read(r#"{"fault":{"failure":"throttled"},"times":3}"#).unwrap(), (throttled, Some(3)));
        let hidden = Fault::new(Failure::NotFound).of("GetEndpointAttributes").for_token("t");
        let text = r#"{"fault":{"failure":"notFound","action":"GetEndpointAttributes","token":"t"}}"#;
        assert_eq!(read(text).unwrap(), (hidden, None));
        for wrong in [r#"{"fault":{"failure":"fire"}}"#, r#"{"fault":{"failure":"throttled"},"times":0}"#] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn strikes_its_action_and_token_only() {
        let fault = Fault::new(Failure::Throttled).for_token("mina");
        assert!(fault.matches("Publish", Some("mina")));
        assert!(!fault.matches("Publish", Some("jun")) && !fault.matches("Publish", None));
        assert!(!fault.matches("DeleteEndpoint", Some("mina")));
        assert!(Fault::new(Failure::Throttled).matches("Publish", None));
    }
}
