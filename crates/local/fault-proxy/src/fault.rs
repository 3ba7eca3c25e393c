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
    /// The request is not forwarded; the response is an error of the service.
    #[serde(rename_all = "camelCase")]
    Answer {
        /// 429, 500 or 503.
        status: Status,
        /// `Retry-After` in seconds. `None`: no such header.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u16>,
    },
    /// Some entries of a batch fail; the response names them. Affects batch operations only.
    Partial,
    /// The request is not forwarded; the response says that the credentials have expired.
    ExpiredCredentials,
}

/// The status of an injected error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "u16", try_from = "u16")]
pub enum Status {
    /// 429.
    TooManyRequests,
    /// 500.
    InternalError,
    /// 503.
    Unavailable,
}

/// The status is not one of [`Status`].
#[derive(Debug, thiserror::Error)]
#[error("{0} is not 429, 500 or 503")]
pub struct InvalidStatus(u16);

impl From<Status> for u16 {
    fn from(status: Status) -> Self {
        match status {
            Status::TooManyRequests => 429,
            Status::InternalError => 500,
            Status::Unavailable => 503,
        }
    }
}

impl TryFrom<u16> for Status {
    type Error = InvalidStatus;

    fn try_from(status: u16) -> Result<Self, Self::Error> {
        match status {
            429 => Ok(Self::TooManyRequests),
            500 => Ok(Self::InternalError),
            503 => Ok(Self::Unavailable),
            other => Err(InvalidStatus(other)),
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
            Self::Answer { status: Status::TooManyRequests, .. } => "429",
            Self::Answer { status: Status::InternalError, .. } => "500",
            Self::Answer { status: Status::Unavailable, .. } => "503",
            Self::Partial => "partial",
            Self::ExpiredCredentials => "expiredCredentials",
        }
    }
}
