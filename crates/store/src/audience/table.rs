use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use aws_sdk_dynamodb::{Client, types::ReturnValue};
use domain::push::{Fact, Registers, Row, of_generation};
use function_kit::failure::Failure;
use jiff::Timestamp;

use super::{
    generation::{KnownGeneration, generation_key},
    key::{followers_partition, key, key_of, key_texts},
};
use crate::{
    attribute::{Attributes, get_text, number, text},
    batch_get::batch_get,
    condition::unless_condition_failed,
    registers,
    retention::expiry,
};

/// The table.
#[derive(Debug, Clone)]
pub struct AudienceTable {
    pub(super) client: Client,
    pub(super) name: String,
    pub(super) generation: Arc<KnownGeneration>,
}

/// A page of a person's followers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Followers {
    /// Present and former followers with the registers of their `follows` edges.
    pub followers: Vec<(String, Registers)>,
    /// The follower after whom the next page starts, if there is one.
    pub next: Option<String>,
}

impl AudienceTable {
    /// The table `name`, reached by `client`.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name, generation: Arc::default() }
    }

    /// Writes a fact of a commit, unless the register's position is later than the fact's. Repeated and superseded facts
    /// are not errors. The first fact of a generation makes those of earlier ones void.
    pub async fn apply(&self, fact: &Fact, committed_at: Timestamp) -> Result<(), Failure> {
        self.generation.begin(&self.client, &self.name, fact.register.position.generation).await?;
        let is_removal = fact.register.value.is_none();
        // Each like adds an edge, and old edges are never read. So rows of edges always expire.
        let is_edge = matches!(fact.row, Row::Edge(_));
        let (expression, name, value) = match (is_edge, is_removal) {
            (true, _) => ("SET #register = :register, expires_at = :expires_at", ":expires_at", expiry(committed_at)),
            (false, false) => ("SET #register = :register REMOVE expires_at ADD writes :one", ":one", number(1)),
            (false, true) => ("SET #register = :register ADD writes :one", ":one", number(1)),
        };
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key(&fact.row)))
            .update_expression(expression)
            .condition_expression("attribute_not_exists(#register) OR #register <= :register")
            .expression_attribute_names("#register", registers::attribute_name(&fact.name))
            .expression_attribute_values(":register", text(fact.register.to_string()))
            .expression_attribute_values(name, value)
            .return_values(ReturnValue::AllNew);
        match unless_condition_failed("write a projection", update.send().await)? {
            Some(output) if is_removal && !is_edge => {
                self.expire_if_empty(fact, &output.attributes.unwrap_or_default(), committed_at).await
            }
            _ => Ok(()),
        }
    }

    /// Sets the expiry of the fact's row if it has no value in the fact's generation, unless the row has been written since
    /// `content` was read.
    async fn expire_if_empty(&self, fact: &Fact, content: &Attributes, committed_at: Timestamp) -> Result<(), Failure> {
        let registers = of_generation(read_registers(content)?, fact.register.position.generation);
        let is_empty = registers.values().all(|register| register.value.is_none());
        let Some(writes) = content.get("writes").filter(|_| is_empty) else { return Ok(()) };
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key(&fact.row)))
            .update_expression("SET expires_at = :expires_at")
            .condition_expression("writes = :writes")
            .expression_attribute_values(":expires_at", expiry(committed_at))
            .expression_attribute_values(":writes", writes.clone());
        unless_condition_failed("let a projection expire", update.send().await).map(drop)
    }

    /// Reads the registers of each of `rows`; strongly consistent. Missing rows are left out, and registers of earlier
    /// generations.
    pub async fn get(&self, rows: &[Row]) -> Result<HashMap<Row, Registers>, Failure> {
        // DynamoDB rejects a request with duplicate keys.
        let by_key: BTreeMap<_, _> = rows.iter().map(|row| (key_texts(row), row)).collect();
        let mut found = Vec::with_capacity(by_key.len());
        let mut keys: Vec<_> = by_key.keys().map(|(pk, sk)| key_of(pk.clone(), sk.clone())).collect();
        let is_stale = !keys.is_empty() && self.generation.is_stale();
        keys.extend(is_stale.then(generation_key));
        let mut generation = None;
        for content in batch_get(&self.client, &self.name, keys, None, "read projections").await? {
            match by_key.get(&(required_text(&content, "pk")?, required_text(&content, "sk")?)) {
                Some(row) => found.push(((*row).clone(), read_registers(&content)?)),
                None => generation = Some(content),
            }
        }
        if is_stale {
            self.generation.set_read(generation.as_ref())?;
        }
        Ok(self.generation.current(found).into_iter().collect())
    }

    /// Reads a page of up to `limit` present and former followers of `person`, in a stable order; strongly consistent. It
    /// starts after the follower `after`. Registers of earlier generations are left out.
    pub async fn followers(&self, person: &str, after: Option<&str>, limit: i32) -> Result<Followers, Failure> {
        let (rows, next) = self.page(followers_partition(person), "", after, limit).await?;
        let follower = |row: &Attributes| Ok((required_text(row, "sk")?, read_registers(row)?));
        let followers = rows.iter().map(follower).collect::<Result<_, Failure>>()?;
        Ok(Followers { followers: self.generation.current(followers), next })
    }

    /// Reads up to `limit` rows of a partition whose sort keys begin with `prefix`. Returns also the sort key, without
    /// the prefix, after which the next page starts.
    pub(super) async fn page(
        &self,
        pk: String,
        prefix: &str,
        after: Option<&str>,
        limit: i32,
    ) -> Result<(Vec<Attributes>, Option<String>), Failure> {
        let start = after.map(|after| key_of(pk.clone(), format!("{prefix}{after}")));
        let mut query = self
            .client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .limit(limit)
            .set_exclusive_start_key(start)
            .expression_attribute_values(":pk", text(pk));
        query = if prefix.is_empty() {
            query.key_condition_expression("pk = :pk")
        } else {
            query
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":prefix", text(prefix))
        };
        let response = query.send().await.map_err(|error| Failure::aws("read a page of projections", error))?;
        let last = response.last_evaluated_key.map(|key| required_text(&key, "sk")).transpose()?;
        let next = last.and_then(|last| last.strip_prefix(prefix).map(str::to_owned));
        Ok((response.items.unwrap_or_default(), next))
    }
}

/// The registers of a row.
pub(super) fn read_registers(row: &Attributes) -> Result<Registers, Failure> {
    registers::read(row).map_err(|error| Failure::bug("read a row of the audience", error))
}

/// The string in an attribute that every row has.
pub(super) fn required_text(row: &Attributes, name: &str) -> Result<String, Failure> {
    let text = get_text(row, name).map(str::to_owned);
    text.ok_or_else(|| Failure::bug("read a row of the audience", format!("the attribute {name} is missing")))
}
