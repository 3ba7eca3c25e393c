use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use aws_sdk_dynamodb::Client;
use domain::push::{Registers, of_generation};
use function_kit::failure::Failure;

use super::{key::key_of, row::AudienceRow};
use crate::{
    attribute::{Attributes, number},
    condition::unless_condition_failed,
};

/// The partition key of the row that holds the latest generation, and the attribute.
const GENERATION: &str = "generation";
/// The time for which a generation that was read is used again. A reset needs longer to reach the table.
const MAX_AGE: Duration = Duration::from_secs(5);

/// The latest generation of the table, as far as this process knows. It only grows.
#[derive(Debug, Default)]
pub(super) struct KnownGeneration(Mutex<(u32, Option<Instant>)>);

impl KnownGeneration {
    fn get(&self) -> u32 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Whether the row has to be read.
    pub(super) fn is_stale(&self) -> bool {
        let (_, read_at) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        read_at.is_none_or(|read_at| read_at.elapsed() >= MAX_AGE)
    }

    /// Records that the row was read, or is missing and therefore 0.
    pub(super) fn set_read(&self, row: Option<&AudienceRow>) -> Result<(), Failure> {
        let generation = match row {
            Some(row) => row.generation.ok_or_else(|| {
                Failure::bug("read the generation of the audience", "the attribute generation is missing")
            })?,
            None => 0,
        };
        self.raise(generation, Some(Instant::now()));
        Ok(())
    }

    fn raise(&self, generation: u32, read_at: Option<Instant>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known = (known.0.max(generation), read_at.or(known.1));
    }

    /// Stores in the table `name` that it has facts of `generation`, before the first of them is written. From then on, facts
    /// of earlier generations are void.
    pub(super) async fn begin(&self, client: &Client, name: &str, generation: u32) -> Result<(), Failure> {
        if generation <= self.get() {
            return Ok(());
        }
        let update = client
            .update_item()
            .table_name(name)
            .set_key(Some(generation_key()))
            .update_expression("SET #generation = :generation")
            .condition_expression("attribute_not_exists(#generation) OR #generation < :generation")
            .expression_attribute_names("#generation", GENERATION)
            .expression_attribute_values(":generation", number(generation));
        unless_condition_failed("begin a generation of the audience", update.send().await)?;
        self.raise(generation, None);
        Ok(())
    }

    /// The registers of each row that count in the latest generation, which one of them may reveal.
    pub(super) fn current<K>(&self, rows: Vec<(K, Registers)>) -> Vec<(K, Registers)> {
        let registers = rows.iter().flat_map(|(_, registers)| registers.values());
        self.raise(registers.map(|register| register.position.generation).max().unwrap_or(0), None);
        let generation = self.get();
        rows.into_iter().map(|(row, registers)| (row, of_generation(registers, generation))).collect()
    }
}

/// The key of the row with the latest generation.
pub(super) fn generation_key() -> Attributes {
    key_of(GENERATION.to_owned(), "facts".to_owned())
}
