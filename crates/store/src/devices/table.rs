use std::collections::HashMap;

use aws_sdk_dynamodb::{Client, operation::query::builders::QueryFluentBuilder};
use domain::push::{Preferences, Token};
use function_kit::failure::Failure;
use futures_util::future::join_all;

use super::row::{
    DEVICE_PREFIX, Device, DeviceRow, ERASED, Holder, HolderRow, PREFERENCES, PreferencesRow, READ, device_item,
};
use crate::{
    attribute::{Attributes, get_text, text},
    row::read,
};

/// The most partition keys that are read at once. DynamoDB accepts 50 in a list.
const MAX_PARTITIONS: usize = 25;
/// The index of devices by the hash of their token.
const BY_TOKEN: &str = "by-token";

/// The table.
#[derive(Debug, Clone)]
pub struct DeviceTable {
    pub(super) client: Client,
    pub(super) name: String,
}

/// A user's devices and preferences.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryTargets {
    /// The devices to send to.
    pub devices: Vec<Device>,
    /// The muted categories and the quiet hours.
    pub preferences: Preferences,
    /// Whether the account is being erased: nothing may be stored for the user.
    pub is_erased: bool,
}

impl DeliveryTargets {
    /// Adds a row of the user.
    fn add(&mut self, row: Attributes) -> Result<(), Failure> {
        match get_text(&row, "item") {
            Some(ERASED) => self.is_erased = true,
            Some(PREFERENCES) => self.preferences = read::<PreferencesRow>(READ, row)?.preferences,
            Some(item) if item.starts_with(DEVICE_PREFIX) => {
                self.devices.push(read::<DeviceRow>(READ, row)?.try_into()?);
            }
            // Written by a later version.
            _ => {}
        }
        Ok(())
    }
}

impl DeviceTable {
    /// The table `name`, reached by `client`.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// Reads all devices and the preferences of each of `users`; strongly consistent. What cannot be read at once is read
    /// user by user, so that each has a result of its own.
    pub async fn delivery_targets(&self, users: &[&str]) -> Vec<Result<DeliveryTargets, Failure>> {
        let mut results = Vec::with_capacity(users.len());
        for users in users.chunks(MAX_PARTITIONS) {
            match self.targets_of_all(users).await {
                Some(mut found) => {
                    results.extend(users.iter().map(|user| Ok(found.remove(*user).unwrap_or_default())));
                }
                None => results.extend(join_all(users.iter().map(|user| self.targets_of(user))).await),
            }
        }
        results
    }

    /// Reads several users at once. `None` if that fails, or there is only one.
    async fn targets_of_all(&self, users: &[&str]) -> Option<HashMap<String, DeliveryTargets>> {
        if users.len() < 2 {
            return None;
        }
        let statement =
            format!(r#"SELECT * FROM "{}" WHERE "user" IN [{}]"#, self.name, vec!["?"; users.len()].join(", "));
        let parameters: Vec<_> = users.iter().map(|user| text(*user)).collect();
        let select = self.client.execute_statement().statement(statement).set_parameters(Some(parameters));
        let select = select.consistent_read(true);
        let mut targets: HashMap<String, DeliveryTargets> = HashMap::new();
        let mut token = None;
        loop {
            let page = select.clone().set_next_token(token).send().await.ok()?;
            for row in page.items.unwrap_or_default() {
                let user = get_text(&row, "user")?.to_owned();
                targets.entry(user).or_default().add(row).ok()?;
            }
            token = page.next_token;
            if token.is_none() {
                return Some(targets);
            }
        }
    }

    async fn targets_of(&self, user: &str) -> Result<DeliveryTargets, Failure> {
        let query = self.query_user(user).key_condition_expression("#user = :user");
        let mut targets = DeliveryTargets::default();
        for row in all_pages(query).await? {
            targets.add(row)?;
        }
        Ok(targets)
    }

    /// Reads all devices of `user`; strongly consistent.
    pub async fn list(&self, user: &str) -> Result<Vec<Device>, Failure> {
        let query = self
            .query_user(user)
            .key_condition_expression("#user = :user AND begins_with(#item, :device)")
            .expression_attribute_names("#item", "item")
            .expression_attribute_values(":device", text(DEVICE_PREFIX));
        all_pages(query).await?.into_iter().map(|row| read::<DeviceRow>(READ, row)?.try_into()).collect()
    }

    /// Reads the device `id` of `user`, if there is one; strongly consistent.
    pub async fn get(&self, user: &str, id: &str) -> Result<Option<Device>, Failure> {
        let row = self.row(user, &device_item(id), "read a device").await?;
        row.map(|row| read::<DeviceRow>(READ, row)?.try_into()).transpose()
    }

    /// Reads the devices of all users that have `token`, also those of the version before; eventually consistent.
    pub async fn holders(&self, token: &Token) -> Result<Vec<Holder>, Failure> {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(BY_TOKEN)
            .key_condition_expression("token_hash = :hash")
            .expression_attribute_values(":hash", text(token.hash()));
        all_pages(query).await?.into_iter().map(|row| read::<HolderRow>(READ, row)?.try_into()).collect()
    }

    /// Reads the preferences of `user`; the default if none are stored.
    pub async fn preferences(&self, user: &str) -> Result<Preferences, Failure> {
        let row = self.row(user, PREFERENCES, "read preferences").await?;
        row.map_or_else(|| Ok(Preferences::default()), |row| Ok(read::<PreferencesRow>(READ, row)?.preferences))
    }

    /// Stores the preferences of `user`.
    pub async fn put_preferences(&self, user: &str, preferences: &Preferences) -> Result<(), Failure> {
        let row = serde_dynamo::to_item(PreferencesRow::of(user, preferences))
            .map_err(|error| Failure::bug("serialise a row of preferences", error))?;
        let put = self.client.put_item().table_name(&self.name).set_item(Some(row)).send().await;
        put.map(drop).map_err(|error| Failure::aws("store preferences", error))
    }

    fn query_user(&self, user: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .expression_attribute_names("#user", "user")
            .expression_attribute_values(":user", text(user))
    }

    pub(super) async fn row(&self, user: &str, item: &str, doing: &'static str) -> Result<Option<Attributes>, Failure> {
        let get = self.client.get_item().table_name(&self.name).key("user", text(user)).key("item", text(item));
        let response = get.consistent_read(true).send().await;
        response.map(|response| response.item).map_err(|error| Failure::aws(doing, error))
    }
}

/// Reads all pages of a query.
async fn all_pages(query: QueryFluentBuilder) -> Result<Vec<Attributes>, Failure> {
    let mut rows = Vec::new();
    let mut pages = query.into_paginator().items().send();
    while let Some(row) = pages.next().await {
        rows.push(row.map_err(|error| Failure::aws("read devices", error))?);
    }
    Ok(rows)
}
