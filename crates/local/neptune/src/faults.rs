use std::time::Duration;

use http_server::ActiveFaults;
use serde::{Deserialize, Serialize};

use super::{page::Page, stream::View};

/// A request to inject a fault.
pub type FaultRequest = http_server::FaultRequest<Fault>;

/// An injected fault and its counters.
pub type ActiveFault = http_server::ActiveFault<Fault>;

/// A fault in requests for the stream.
///
/// Injected errors are used one at a time, oldest first, and take precedence over faults that change a page. A fault
/// counts only the requests that it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Fault {
    /// An error, regardless of the request.
    Error(Failure),
    /// Existing records are reported as expired if the request names a position (`AT` and `AFTER`).
    Expired {
        /// The status of the response.
        #[serde(default)]
        status: ExpiredStatus,
    },
    /// Responses are delayed.
    #[serde(rename_all = "camelCase")]
    Slow {
        /// The delay in milliseconds.
        millis: u64,
    },
    /// The replica lags behind: it does not have the newest commits.
    #[serde(rename_all = "camelCase")]
    Lag {
        /// Number of commits.
        commits: usize,
    },
    /// The page ends inside a commit, after its operation `at_op`, if the commit has more.
    #[serde(rename_all = "camelCase")]
    Cut {
        /// Operation number, from 1.
        at_op: usize,
    },
    /// A commit is missing between others until the count is exhausted.
    #[serde(rename_all = "camelCase")]
    Gap {
        /// Number of the missing commit.
        commit_num: u64,
    },
}

/// Errors that are independent of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Failure {
    /// 500 `ThrottlingException`.
    Throttling,
    /// 500 `MemoryLimitExceededException`.
    MemoryLimitExceeded,
    /// 408 `ClientTimeoutException`.
    ClientTimeout,
    /// 429 `TooManyRequestsException`.
    TooManyRequests,
    /// 400 `UnsupportedOperationException`: streams are off.
    StreamsOff,
    /// 400 `ConstraintViolationException`.
    ConstraintViolation,
    /// 400 `PreconditionsFailedException`.
    PreconditionsFailed,
    /// 400 `InvalidArgumentException`.
    InvalidArgument,
    /// 400 `IllegalArgumentException`.
    IllegalArgument,
}

/// The status for expired records. Neptune has been observed to return either.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExpiredStatus {
    /// 400 `ExpiredStreamException`.
    #[default]
    #[serde(rename = "expired")]
    Expired,
    /// 404 `StreamRecordsNotFoundException`.
    #[serde(rename = "notFound")]
    NotFound,
    /// The same with a message that does not name the stream's head.
    #[serde(rename = "notFoundWithoutHead")]
    NotFoundWithoutHead,
}

/// The injected faults.
#[derive(Debug, Default)]
pub struct Faults(ActiveFaults<Fault>);

impl Faults {
    /// Injects a fault.
    pub fn inject(&mut self, request: FaultRequest) {
        self.0.inject(request);
    }

    /// Removes all faults and their counters.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// All faults, exhausted ones included.
    pub fn all(&self) -> &[ActiveFault] {
        self.0.all()
    }

    /// Uses the next injected error.
    pub fn take_error(&mut self) -> Option<Failure> {
        match self.0.take(|fault| matches!(fault, Fault::Error(_))) {
            Some(Fault::Error(failure)) => Some(failure),
            _ => None,
        }
    }

    /// Uses the next injected delay.
    pub fn take_delay(&mut self) -> Duration {
        match self.0.take(|fault| matches!(fault, Fault::Slow { .. })) {
            Some(Fault::Slow { millis }) => Duration::from_millis(millis),
            _ => Duration::ZERO,
        }
    }

    /// Uses the next injected expiry.
    pub fn take_expired(&mut self) -> Option<ExpiredStatus> {
        match self.0.take(|fault| matches!(fault, Fault::Expired { .. })) {
            Some(Fault::Expired { status }) => Some(status),
            _ => None,
        }
    }

    /// The restrictions on what readers see. [`Self::count`] counts their effects.
    pub fn view(&self) -> View {
        let mut view = View::default();
        for fault in self.0.active() {
            match *fault {
                Fault::Lag { commits } if view.lag == 0 => view.lag = commits,
                Fault::Cut { at_op } if view.truncate_at_op.is_none() => view.truncate_at_op = Some(at_op),
                Fault::Gap { commit_num } => view.hidden.push(commit_num),
                _ => {}
            }
        }
        view
    }

    /// Counts the effects of a view: a lag affects every response, other faults only the pages that they changed.
    pub fn count(&mut self, view: &View, page: Option<&Page>) {
        if view.lag > 0 {
            self.0.take(|fault| *fault == Fault::Lag { commits: view.lag });
        }
        let Some(page) = page else { return };
        if let Some(at_op) = view.truncate_at_op.filter(|_| page.was_truncated) {
            self.0.take(|fault| *fault == Fault::Cut { at_op });
        }
        for commit_num in &page.skipped_commits {
            self.0.take(|fault| *fault == Fault::Gap { commit_num: *commit_num });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::record::EventId;

    fn faults(requests: &[(Fault, u32)]) -> Faults {
        let mut faults = Faults::default();
        for (fault, times) in requests {
            faults.inject(FaultRequest { fault: *fault, times: NonZeroU32::new(*times) });
        }
        faults
    }

    fn page(skipped_commits: &[u64], was_truncated: bool) -> Page {
        let last = EventId { commit_num: 1, op_num: 1 };
        Page { json: vec![], last, total: 1, skipped_commits: skipped_commits.to_vec(), was_truncated }
    }

    #[test]
    fn errors_are_used_in_order() {
        let mut faults = faults(&[(Fault::Error(Failure::Throttling), 2), (Fault::Error(Failure::ClientTimeout), 1)]);
        let taken: Vec<_> = (0..4).map(|_| faults.take_error()).collect();
        assert_eq!(taken, [Some(Failure::Throttling), Some(Failure::Throttling), Some(Failure::ClientTimeout), None]);
        let hits: Vec<_> = faults.all().iter().map(|fault| (fault.left, fault.hits)).collect();
        assert_eq!(hits, [(Some(0), 2), (Some(0), 1)]);
    }

    #[test]
    fn fault_without_count_stays_until_cleared() {
        let mut faults = faults(&[(Fault::Error(Failure::StreamsOff), 0)]);
        assert!((0..100).all(|_| faults.take_error() == Some(Failure::StreamsOff)));
        assert_eq!(faults.all().first().map(|fault| fault.hits), Some(100));
        faults.clear();
        assert_eq!(faults.take_error(), None);
    }

    #[test]
    fn gap_and_cut_count_only_pages_that_they_changed() {
        let mut faults = faults(&[(Fault::Gap { commit_num: 7 }, 1), (Fault::Cut { at_op: 2 }, 1)]);
        let view = View { lag: 0, hidden: vec![7], truncate_at_op: Some(2) };
        assert_eq!(faults.view(), view);
        faults.count(&view, Some(&page(&[], false)));
        faults.count(&view, None);
        assert_eq!(faults.view(), view, "neither affected the page");
        faults.count(&view, Some(&page(&[7], true)));
        assert_eq!(faults.view(), View::default());
    }

    #[test]
    fn lag_counts_every_response() {
        let mut faults = faults(&[(Fault::Lag { commits: 3 }, 1), (Fault::Lag { commits: 1 }, 1)]);
        for lag in [3, 1, 0] {
            let view = faults.view();
            assert_eq!(view.lag, lag, "one at a time");
            faults.count(&view, None);
        }
    }

    #[test]
    fn delay_and_expiry_are_used_up() {
        let expired = Fault::Expired { status: ExpiredStatus::NotFound };
        let mut faults = faults(&[(Fault::Slow { millis: 5 }, 1), (expired, 1)]);
        assert_eq!((faults.take_delay(), faults.take_delay()), (Duration::from_millis(5), Duration::ZERO));
        assert_eq!((faults.take_expired(), faults.take_expired()), (Some(ExpiredStatus::NotFound), None));
    }

    #[test]
    fn fault_request_is_read_from_json() {
        for (text, (fault, times)) in [
            (r#"{"fault":{"error":"throttling"},"times":2}"#, (Fault::Error(Failure::Throttling), 2)),
            (r#"{"fault":{"slow":{"millis":500}}}"#, (Fault::Slow { millis: 500 }, 0)),
            (r#"{"fault":{"cut":{"atOp":3}},"times":1}"#, (Fault::Cut { at_op: 3 }, 1)),
            (r#"{"fault":{"expired":{"status":"notFound"}}}"#, (Fault::Expired { status: ExpiredStatus::NotFound }, 0)),
            (r#"{"fault":{"expired":{}}}"#, (Fault::Expired { status: ExpiredStatus::Expired }, 0)),
        ] {
            let request = FaultRequest { fault, times: NonZeroU32::new(times) };
            assert_eq!(serde_json::from_str::<FaultRequest>(text).unwrap(), request, "{text}");
        }
        for text in [
            r#"{"fault":{"error":"throttling"},"times":0}"#,
            r#"{"fault":{"error":"throttling"},"count":1}"#,
            r#"{"fault":{"slow":{"seconds":1}}}"#,
            r#"{"fault":{"error":"fire"}}"#,
        ] {
            assert!(serde_json::from_str::<FaultRequest>(text).is_err(), "{text}");
        }
    }
}
