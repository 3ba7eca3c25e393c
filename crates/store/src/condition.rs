//! Conditional writes.

use std::error::Error;

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        delete_item::DeleteItemError,
        put_item::PutItemError,
        transact_write_items::{TransactWriteItemsError, TransactWriteItemsOutput},
        update_item::UpdateItemError,
    },
};
use function_kit::{
    error_code,
    failure::{Failure, Kind},
};

/// The result of a write under optimistic locking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// The row is as given.
    Stored,
    /// The row has changed since it was read. Nothing was written; read it again.
    Conflict,
}

/// The error of an operation that can have a condition.
pub trait ConditionalError: ProvideErrorMetadata + Error + Send + Sync + 'static {
    /// Whether the condition did not hold.
    fn is_condition_failed(&self) -> bool;
}

macro_rules! conditional_errors {
    ($($error:ty),*) => {$(
        impl ConditionalError for $error {
            fn is_condition_failed(&self) -> bool {
                self.is_conditional_check_failed_exception()
            }
        }
    )*};
}

conditional_errors!(DeleteItemError, PutItemError, UpdateItemError);

/// The output of a conditional write, or `None` if its condition did not hold.
///
/// # Errors
/// Any other error of the write; `doing` describes the write in its message.
pub fn unless_condition_failed<T, E: ConditionalError>(
    doing: &'static str,
    result: Result<T, SdkError<E>>,
) -> Result<Option<T>, Failure> {
    match result {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.as_service_error().is_some_and(E::is_condition_failed) => Ok(None),
        Err(error) => Err(Failure::aws(doing, error)),
    }
}

/// The result of a transaction of conditional writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transaction {
    /// All writes were applied.
    Applied,
    /// None was applied, because conditions did not hold or other transactions were in progress.
    Rejected {
        /// Positions of the writes whose condition did not hold.
        failed: Vec<usize>,
    },
}

/// The outcome of a transaction.
///
/// # Errors
/// Any other error; throttling of a single write is transient. `doing` describes the transaction in its message.
pub fn transaction_outcome(
    doing: &'static str,
    result: Result<TransactWriteItemsOutput, SdkError<TransactWriteItemsError>>,
) -> Result<Transaction, Failure> {
    const CONDITION_FAILED: &str = "ConditionalCheckFailed";
    let error = match result {
        Ok(_) => return Ok(Transaction::Applied),
        Err(error) => error,
    };
    let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = error.as_service_error() else {
        return Err(Failure::aws(doing, error));
    };
    let codes = || canceled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or("None"));
    if codes().all(|code| matches!(code, "None" | CONDITION_FAILED | "TransactionConflict")) {
        let failed = codes().enumerate().filter(|(_, code)| *code == CONDITION_FAILED).map(|(position, _)| position);
        return Ok(Transaction::Rejected { failed: failed.collect() });
    }
    // A failed condition is no failure here.
    let failures = codes().filter(|code| !matches!(*code, "None" | CONDITION_FAILED));
    let is_bug = failures.map(|code| error_code::kind(400, Some(code))).any(|kind| kind == Kind::Bug);
    Err(if is_bug { Failure::bug(doing, error) } else { Failure::transient(doing, error) })
}
