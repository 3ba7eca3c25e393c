//! Entries of many recipients in one call.

use domain::push::InboxEntry;
use function_kit::failure::Failure;
use futures_util::future::join_all;

use super::{
    row::Holder,
    table::{InboxTable, first},
};
use crate::{
    attribute::Attributes,
    partiql::{Statement, StatementOutcome, execute},
};

impl InboxTable {
    /// [Adds](Self::add) an entry for different recipients. Most have no group yet, so one call inserts their rows. Returns
    /// for each whether the entry is new.
    pub async fn add_all(&self, holders: &[Holder], entry: &InboxEntry) -> Vec<Result<bool, Failure>> {
        let statements: Result<Vec<_>, _> = holders.iter().map(|holder| self.insert(holder, entry)).collect();
        let outcomes = match statements {
            Ok(statements) => execute(&self.client, statements).await,
            // The call for one recipient fails for the same reason, and returns it.
            Err(_) => vec![StatementOutcome::Failed; holders.len()],
        };
        let complete = async |(holder, outcome): (&Holder, StatementOutcome)| match outcome {
            StatementOutcome::Applied => Ok(true),
            StatementOutcome::Exists => self.add_to_existing(holder, entry).await,
            StatementOutcome::Failed => self.add(holder, entry).await,
        };
        join_all(holders.iter().zip(outcomes).map(complete)).await
    }

    fn insert(&self, holder: &Holder, entry: &InboxEntry) -> Result<Statement, Failure> {
        let row = Self::row_of(&holder.recipient, &first(holder, entry), None)?;
        Ok(insert_statement(&self.name, row.item))
    }
}

fn insert_statement(table: &str, row: Attributes) -> Statement {
    let (names, parameters): (Vec<_>, Vec<_>) =
        row.into_iter().map(|(name, value)| (format!("'{name}': ?"), value)).unzip();
    Statement { text: format!(r#"INSERT INTO "{table}" VALUE {{{}}}"#, names.join(", ")), parameters }
}
