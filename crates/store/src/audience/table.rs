use std::{
    collections::{BTreeMap, HashMap},
    mem,
    sync::Arc,
};

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, ReturnValue},
};
use domain::push::{Fact, Registers, Row, of_generation};
use function_kit::failure::Failure;
use jiff::Timestamp;

use super::{
    generation::{KnownGeneration, generation_key},
    key::{followers_partition, following_partition, key, key_of, key_texts},
    row::AudienceRow,
};
use crate::{
    attribute::{Attributes, get_text, number, text},
    batch_get::batch_get_rows,
    condition::unless_condition_failed,
    register_attributes,
    retention::expiry,
};

/// The table's time to live.
const EXPIRES_AT: &str = "expires_at";
/// Until when the tombstones in a row protect against replays. It only rises.
const KEEP_UNTIL: &str = "keep_until";
/// Counts a write.
const COUNT: &str = " ADD writes :one";

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

    /// Stores that the table has facts of `generation`, if that is later than the stored one: facts of earlier ones are void.
    pub(crate) async fn begin(&self, generation: u32) -> Result<(), Failure> {
        self.generation.begin(&self.client, &self.name, generation).await
    }

    /// Writes a fact of a commit, unless the register's position is later than the fact's. Repeated and superseded facts
    /// are not errors. The first fact of a generation makes those of earlier ones void.
    pub async fn apply(&self, fact: &Fact, committed_at: Timestamp) -> Result<(), Failure> {
        self.begin(fact.register.position.generation).await?;
        let is_removal = fact.register.value.is_none();
        // Each like adds an edge, and old edges are never read. So rows of edges always expire.
        if matches!(fact.row, Row::Edge(_)) {
            return self.write_and_raise(fact, EXPIRES_AT, committed_at, "").await.map(drop);
        }
        if !is_removal {
            return self.write(fact, None, &format!(" REMOVE {EXPIRES_AT}{COUNT}")).await.map(drop);
        }
        match self.write_and_raise(fact, KEEP_UNTIL, committed_at, COUNT).await? {
            Some(content) => self.expire_if_empty(fact, &content).await,
            None => Ok(()),
        }
    }

    /// Writes a fact and raises the time `name` to the expiry of the commit, unless it is later already. Facts arrive out
    /// of order and again, and an older one must not shorten how long a newer one is kept.
    async fn write_and_raise(
        &self,
        fact: &Fact,
        name: &str,
        committed_at: Timestamp,
        clauses: &str,
    ) -> Result<Option<Attributes>, Failure> {
        match self.write(fact, Some((name, expiry(committed_at))), clauses).await? {
            Some(content) => Ok(Some(content)),
            // The register is later, or only the time is.
            None => self.write(fact, None, clauses).await,
        }
    }

    /// Writes a fact, unless the register, or the time in `raised`, is later. Returns the row if it was written.
    async fn write(
        &self,
        fact: &Fact,
        raised: Option<(&str, AttributeValue)>,
        clauses: &str,
    ) -> Result<Option<Attributes>, Failure> {
        let mut expression = "SET #register = :register".to_owned();
        let mut condition = "(attribute_not_exists(#register) OR #register <= :register)".to_owned();
        let mut values = Attributes::from([(":register".to_owned(), text(fact.register.to_string()))]);
        if let Some((name, time)) = raised {
            expression.push_str(&format!(", {name} = :{name}"));
            condition.push_str(&format!(" AND (attribute_not_exists({name}) OR {name} <= :{name})"));
            values.insert(format!(":{name}"), time);
        }
        if clauses.ends_with(COUNT) {
            values.insert(":one".to_owned(), number(1));
        }
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key(&fact.row)))
            .update_expression(expression + clauses)
            .condition_expression(condition)
            .expression_attribute_names("#register", register_attributes::attribute_name(&fact.name))
            .set_expression_attribute_values(Some(values))
            .return_values(ReturnValue::AllNew);
        let output = unless_condition_failed("write a projection", update.send().await)?;
        Ok(output.map(|output| output.attributes.unwrap_or_default()))
    }

    /// Sets the expiry of the fact's row if it has no value in the fact's generation, unless the row has been written since
    /// `content` was read.
    async fn expire_if_empty(&self, fact: &Fact, content: &Attributes) -> Result<(), Failure> {
        let registers = of_generation(read_registers(content)?, fact.register.position.generation);
        let is_empty = registers.values().all(|register| register.value.is_none());
        let Some(writes) = content.get("writes").filter(|_| is_empty) else { return Ok(()) };
        // The version before stored only `expires_at`.
        let times =
            [EXPIRES_AT, KEEP_UNTIL].into_iter().filter_map(|name| content.get(name)?.as_n().ok()?.parse().ok());
        let Some(latest) = times.max() else { return Ok(()) };
        let latest: i64 = latest;
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key(&fact.row)))
            .update_expression("SET expires_at = :expires_at")
            .condition_expression("writes = :writes")
            .expression_attribute_values(":expires_at", number(latest))
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
        let read: Vec<AudienceRow> = batch_get_rows(&self.client, &self.name, keys, "read projections").await?;
        for mut content in read {
            let key = (mem::take(&mut content.pk), mem::take(&mut content.sk));
            match by_key.get(&key) {
                Some(row) => found.push(((*row).clone(), content.registers)),
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

    /// Reads a page of up to `limit` persons whom `person` follows or followed, in a stable order; strongly consistent. It
    /// starts after the person `after`. Registers of earlier generations are left out.
    pub(crate) async fn following(&self, person: &str, after: Option<&str>, limit: i32) -> Result<Followers, Failure> {
        if self.generation.is_stale() {
            let key = vec![generation_key()];
            let doing = "read the generation of the audience";
            let rows: Vec<AudienceRow> = batch_get_rows(&self.client, &self.name, key, doing).await?;
            self.generation.set_read(rows.first())?;
        }
        let (rows, next) = self.page(following_partition(person), "", after, limit).await?;
        let followed = |row: &Attributes| Ok((required_text(row, "sk")?, read_registers(row)?));
        let followed = rows.iter().map(followed).collect::<Result<_, Failure>>()?;
        Ok(Followers { followers: self.generation.current(followed), next })
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
    register_attributes::read(row).map_err(|error| Failure::bug("read a row of the audience", error))
}

/// The string in an attribute that every row has.
pub(super) fn required_text(row: &Attributes, name: &str) -> Result<String, Failure> {
    let text = get_text(row, name).map(str::to_owned);
    text.ok_or_else(|| Failure::bug("read a row of the audience", format!("the attribute {name} is missing")))
}
