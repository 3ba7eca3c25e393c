//! Batches of PartiQL statements. DynamoDB has no other batch of conditional writes.

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, BatchStatementErrorCodeEnum, BatchStatementRequest, BatchStatementResponse},
};
use function_kit::failure::Failure;
use tracing::warn;

/// The most statements that one `BatchExecuteStatement` request accepts.
const MAX_STATEMENTS: usize = 25;

/// A write of one row, with a question mark for each parameter.
#[derive(Debug, Clone)]
pub struct Statement {
    pub text: String,
    pub parameters: Vec<AttributeValue>,
}

/// The result of one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementOutcome {
    /// It was applied.
    Applied,
    /// An `INSERT` found a row.
    Exists,
    /// Any other error, or no response. It may have been applied.
    Failed,
}

/// Executes writes of different rows. Each is atomic and independent of the others. One statement alone is not executed:
/// the plain calls do more, so the caller repeats failed statements by these.
pub async fn execute(client: &Client, statements: Vec<Statement>) -> Vec<StatementOutcome> {
    if statements.len() < 2 {
        return vec![StatementOutcome::Failed; statements.len()];
    }
    let mut outcomes = Vec::with_capacity(statements.len());
    let mut statements = statements.into_iter().peekable();
    while statements.peek().is_some() {
        let batch: Vec<_> = statements.by_ref().take(MAX_STATEMENTS).collect();
        let end = outcomes.len() + batch.len();
        let requests: Option<Vec<_>> = batch.into_iter().map(request).collect();
        let response = client.batch_execute_statement().set_statements(requests).send().await;
        let responses = match response {
            Ok(response) => response.responses.unwrap_or_default(),
            // The plain calls decide about the kind of a failure; without this line, a missing permission would only cost.
            Err(error) => {
                let failure = Failure::aws("execute a batch of statements", error);
                warn!(kind = failure.kind.as_str(), %failure, "each statement is repeated alone");
                Vec::new()
            }
        };
        outcomes.extend(responses.iter().map(outcome));
        outcomes.resize(end, StatementOutcome::Failed);
    }
    outcomes
}

fn request(Statement { text, parameters }: Statement) -> Option<BatchStatementRequest> {
    BatchStatementRequest::builder().statement(text).set_parameters(Some(parameters)).build().ok()
}

fn outcome(response: &BatchStatementResponse) -> StatementOutcome {
    match response.error().map(|error| error.code()) {
        None => StatementOutcome::Applied,
        Some(Some(BatchStatementErrorCodeEnum::DuplicateItem)) => StatementOutcome::Exists,
        Some(_) => StatementOutcome::Failed,
    }
}
