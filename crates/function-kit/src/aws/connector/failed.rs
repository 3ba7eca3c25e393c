//! What the SDK is to think of a request without an answer: it tries again after some failures, not after others.

use std::{error::Error, io, iter};

use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::retry::ErrorKind;
use hyper_util::client::legacy;

use super::within::{AnyError, TimedOut};

/// The SDK's kind of this failure, by all that caused it.
pub fn sorted(error: AnyError) -> ConnectorError {
    let timed_out = cause::<TimedOut>(&*error).is_some();
    let io = cause::<io::Error>(&*error).is_some();
    let connecting = cause::<legacy::Error>(&*error).is_some_and(legacy::Error::is_connect);
    let hyper = cause::<hyper::Error>(&*error);
    let of_hyper = |is: fn(&hyper::Error) -> bool| hyper.is_some_and(is);
    if timed_out || of_hyper(hyper::Error::is_timeout) {
        ConnectorError::timeout(error)
    } else if of_hyper(hyper::Error::is_user) {
        ConnectorError::user(error)
    } else if connecting || io || of_hyper(hyper::Error::is_closed) || of_hyper(hyper::Error::is_canceled) {
        ConnectorError::io(error)
    } else if of_hyper(hyper::Error::is_incomplete_message) {
        // The other side closed a connection that was just to be used again.
        ConnectorError::other(error, Some(ErrorKind::TransientError))
    } else {
        ConnectorError::other(error, None)
    }
}

fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    iter::successors(Some(error), |&error| error.source()).find_map(|error| error.downcast_ref())
}
