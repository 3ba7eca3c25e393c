use std::time::Duration;

use http_server::Standings;
use serde::{Deserialize, Serialize};

use super::{log::View, page::Page};

/// A fault that the stream is to show, and how often.
pub type Order = serving::Order<Fault>;

/// A fault as it stands.
pub type Standing = serving::Standing<Fault>;

/// What can go wrong with requests for the stream.
///
/// Errors take turns, in the order in which they were ordered, and come before what changes a page. A fault counts the requests that it changed, and no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Fault {
    /// An error, whatever is asked.
    Error(Failure),
    /// Records that are there are answered as expired, where a position asks for them (`AT` and
    /// `AFTER`).
    Expired {
        /// As what.
        #[serde(default)]
        status: ExpiredStatus,
    },
    /// Answers come late.
    #[serde(rename_all = "camelCase")]
    Slow {
        /// How late, in milliseconds.
        millis: u64,
    },
    /// The replica that answers lags: the head is older.
    #[serde(rename_all = "camelCase")]
    Lag {
        /// By so many commits.
        commits: usize,
    },
    /// The page ends inside a commit, behind its operation `at_op`, where the commit has more.
    #[serde(rename_all = "camelCase")]
    Cut {
        /// From 1.
        at_op: usize,
    },
    /// A commit is missing between others. It heals when the count is used up.
    #[serde(rename_all = "camelCase")]
    Gap {
        /// Which.
        commit_num: u64,
    },
}

/// Errors that have nothing to do with what is asked.
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

/// How records that have expired are answered: both have been seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExpiredStatus {
    /// 400 `ExpiredStreamException`.
    #[default]
    #[serde(rename = "expired")]
    Expired,
    /// 404 `StreamRecordsNotFoundException`, as if nothing had come yet.
    #[serde(rename = "notFound")]
    NotFound,
}

/// The faults in force, the oldest first; those that are used up stay to be counted.
#[derive(Debug, Default)]
pub struct Faults(Standings<Fault>);

impl Faults {
    /// Adds one.
    pub fn order(&mut self, order: Order) {
        self.0.order(order);
    }

    /// Forgets all, also the counts.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// All, also those that are used up.
    pub fn standing(&self) -> &[Standing] {
        self.0.all()
    }

    /// Takes the next error that answers a request whatever it asks.
    pub fn take_error(&mut self) -> Option<Failure> {
        match self.0.take(|fault| matches!(fault, Fault::Error(_))) {
            Some(Fault::Error(failure)) => Some(failure),
            _ => None,
        }
    }

    /// Takes how long the answer is to wait.
    pub fn take_delay(&mut self) -> Duration {
        match self.0.take(|fault| matches!(fault, Fault::Slow { .. })) {
            Some(Fault::Slow { millis }) => Duration::from_millis(millis),
            _ => Duration::ZERO,
        }
    }

    /// Takes how records that are there are answered as expired, if they are.
    pub fn take_expired(&mut self) -> Option<ExpiredStatus> {
        match self.0.take(|fault| matches!(fault, Fault::Expired { .. })) {
            Some(Fault::Expired { status }) => Some(status),
            _ => None,
        }
    }

    /// What a reader sees now. What that changes is told to [`Self::count`].
    pub fn view(&self) -> View {
        let mut view = View::default();
        for fault in self.0.in_force() {
            match *fault {
                Fault::Lag { commits } if view.lag == 0 => view.lag = commits,
                Fault::Cut { at_op } if view.cut_at_op.is_none() => view.cut_at_op = Some(at_op),
                Fault::Gap { commit_num } => view.hidden.push(commit_num),
                _ => {}
            }
        }
        view
    }

    /// Counts what a view has changed: a lag changes every answer, others the page that they are in.
    pub fn count(&mut self, view: &View, page: Option<&Page>) {
        if view.lag > 0 {
            self.0.take(|fault| *fault == Fault::Lag { commits: view.lag });
        }
        let Some(page) = page else { return };
        if let Some(at_op) = view.cut_at_op.filter(|_| page.was_cut) {
            self.0.take(|fault| *fault == Fault::Cut { at_op });
        }
        for commit_num in &page.leapt {
            self.0.take(|fault| *fault == Fault::Gap { commit_num: *commit_num });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::record::EventId;

    fn faults(orders: &[(Fault, u32)]) -> Faults {
        let mut faults = Faults::default();
        for (fault, times) in orders {
            faults.order(Order { fault: *fault, times: NonZeroU32::new(*times) });
        }
        faults
    }

    fn page(leapt: &[u64], was_cut: bool) -> Page {
        let last = EventId { commit_num: 1, op_num: 1 };
        Page { json: vec![], last, total: 1, leapt: leapt.to_vec(), was_cut }
    }

    #[test]
    fn errors_take_turns() {
        let mut faults = faults(&[(Fault::Error(Failure::Throttling), 2), (Fault::Error(Failure::ClientTimeout), 1)]);
        let taken: Vec<_> = (0..4).map(|_| faults.take_error()).collect();
        assert_eq!(taken, [Some(Failure::Throttling), Some(Failure::Throttling), Some(Failure::ClientTimeout), None]);
        let hits: Vec<_> = faults.standing().iter().map(|standing| (standing.left, standing.hits)).collect();
        assert_eq!(hits, [(Some(0), 2), (Some(0), 1)]);
    }

    #[test]
    fn without_a_count_a_fault_stays_until_cleared() {
        let mut faults = faults(&[(Fault::Error(Failure::StreamsOff), 0)]);
        assert!((0..100).all(|_| faults.take_error() == Some(Failure::StreamsOff)));
        assert_eq!(faults.standing().first().map(|standing| standing.hits), Some(100));
        faults.clear();
        assert_eq!(faults.take_error(), None);
    }

    #[test]
    fn a_gap_and_a_cut_count_the_pages_that_they_changed() {
        let mut faults = faults(&[(Fault::Gap { commit_num: 7 }, 1), (Fault::Cut { at_op: 2 }, 1)]);
        let view = View { lag: 0, hidden: vec![7], cut_at_op: Some(2) };
        assert_eq!(faults.view(), view);
        faults.count(&view, Some(&page(&[], false)));
        faults.count(&view, None);
        assert_eq!(faults.view(), view, "neither was reached");
        faults.count(&view, Some(&page(&[7], true)));
        assert_eq!(faults.view(), View::default());
    }

    #[test]
    fn a_lag_counts_every_answer() {
        let mut faults = faults(&[(Fault::Lag { commits: 3 }, 1), (Fault::Lag { commits: 1 }, 1)]);
        for lag in [3, 1, 0] {
            let view = faults.view();
            assert_eq!(view.lag, lag, "one after the other");
            faults.count(&view, None);
        }
    }

    #[test]
    fn delays_and_expiry_are_taken() {
        let expired = Fault::Expired { status: ExpiredStatus::NotFound };
        let mut faults = faults(&[(Fault::Slow { millis: 5 }, 1), (expired, 1)]);
        assert_eq!((faults.take_delay(), faults.take_delay()), (Duration::from_millis(5), Duration::ZERO));
        assert_eq!((faults.take_expired(), faults.take_expired()), (Some(ExpiredStatus::NotFound), None));
    }

    #[test]
    fn orders_are_small_documents() {
        for (text, order) in [
            (r#"{"fault":{"error":"throttling"},"times":2}"#, (Fault::Error(Failure::Throttling), 2)),
            (r#"{"fault":{"slow":{"millis":500}}}"#, (Fault::Slow { millis: 500 }, 0)),
            (r#"{"fault":{"cut":{"atOp":3}},"times":1}"#, (Fault::Cut { at_op: 3 }, 1)),
            (r#"{"fault":{"expired":{"status":"notFound"}}}"#, (Fault::Expired { status: ExpiredStatus::NotFound }, 0)),
            (r#"{"fault":{"expired":{}}}"#, (Fault::Expired { status: ExpiredStatus::Expired }, 0)),
        ] {
            let order = Order { fault: order.0, times: NonZeroU32::new(order.1) };
            assert_eq!(serde_json::from_str::<Order>(text).unwrap(), order, "{text}");
        }
        for text in [
            r#"{"fault":{"error":"throttling"},"times":0}"#,
            r#"{"fault":{"error":"throttling"},"count":1}"#,
            r#"{"fault":{"slow":{"seconds":1}}}"#,
            r#"{"fault":{"error":"fire"}}"#,
        ] {
            assert!(serde_json::from_str::<Order>(text).is_err(), "{text}");
        }
    }
}
