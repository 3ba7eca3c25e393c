use serde::{Deserialize, Serialize};

/// What can go wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Fault {
    /// The connection ends before the request is handed on.
    Refused,
    /// It is done; the connection ends in the middle of the answer.
    Reset,
    /// It is done, and the connection ends before the answer.
    LostAnswer,
    /// It is handed on so many milliseconds late.
    Late {
        /// How late.
        millis: u64,
    },
    /// It is not handed on, and nothing is said for so many milliseconds; then the connection ends.
    Hang {
        /// How long.
        millis: u64,
    },
    /// It is not handed on; the service says that it has too much to do, or failed.
    #[serde(rename_all = "camelCase")]
    Answer {
        /// 429, 500 or 503.
        status: Status,
        /// The seconds that `Retry-After` names; without, there is no such header.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u16>,
    },
    /// Of a batch, some entries are not done, and the answer says which. Strikes operations on
    /// batches only.
    Partial,
    /// It is not handed on; the service says that the credentials have expired.
    ExpiredCredentials,
}

/// How a service says that it cannot now.
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

/// A status that no fault has.
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
    /// Its name in counts.
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
