use serde::{Deserialize, Serialize};

/// A fault in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Fault {
    /// The connection closes before the request is forwarded.
    Refused,
    /// The request is processed; the connection closes in the middle of the response.
    Reset,
    /// The request is processed; the connection closes before the response.
    LostAnswer,
    /// The request is forwarded after a delay.
    Late {
        /// The delay.
        millis: u64,
    },
    /// The request is not forwarded; the connection closes after a delay.
    Hang {
        /// The delay.
        millis: u64,
    },
    /// The request is not forwarded; the response is an error of the service, with the service's own status, code and
    /// format. Does not affect operations that have no such error.
    #[serde(rename_all = "camelCase")]
    Answer {
        /// The error.
        error: ServiceError,
        /// `Retry-After` in seconds. `None`: no such header.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u16>,
    },
    /// Some entries of a batch fail; the response names them. Affects batch operations only.
    Partial,
}

/// An error that a service returns instead of processing a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ServiceError {
    /// Too many requests.
    Throttled,
    /// The service failed.
    InternalError,
    /// The service is overloaded or restarts.
    Unavailable,
    /// The credentials have expired.
    ExpiredCredentials,
    /// The credentials are unknown, for example because they are new.
    UnknownCredentials,
    /// The signature is that of another time: the clock is wrong.
    WrongClock,
    /// The role lacks the permission, or a policy has not spread yet.
    AccessDenied,
    /// The key that encrypts the resource cannot be used.
    KeyDenied,
    /// The table, queue, topic or secret does not exist. Only for operations whose missing resource has no other meaning.
    MissingResource,
    /// Another writer changes the same item. Writes only.
    Conflict,
}

impl ServiceError {
    /// All errors.
    pub const ALL: [Self; 10] = [
        Self::Throttled,
        Self::InternalError,
        Self::Unavailable,
        Self::ExpiredCredentials,
        Self::UnknownCredentials,
        Self::WrongClock,
        Self::AccessDenied,
        Self::KeyDenied,
        Self::MissingResource,
        Self::Conflict,
    ];

    /// The name in counters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::InternalError => "internalError",
            Self::Unavailable => "unavailable",
            Self::ExpiredCredentials => "expiredCredentials",
            Self::UnknownCredentials => "unknownCredentials",
            Self::WrongClock => "wrongClock",
            Self::AccessDenied => "accessDenied",
            Self::KeyDenied => "keyDenied",
            Self::MissingResource => "missingResource",
            Self::Conflict => "conflict",
        }
    }
}

impl Fault {
    /// The name in counters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::LostAnswer => "lostAnswer",
            Self::Late { .. } => "late",
            Self::Hang { .. } => "hang",
            Self::Answer { error, .. } => error.name(),
            Self::Partial => "partial",
        }
    }
}
