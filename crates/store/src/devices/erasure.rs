use function_kit::failure::Failure;
use jiff::Timestamp;

use super::{
    row::{Device, ERASED, PREFERENCES, device_item},
    table::DeviceTable,
};
use crate::{attribute::text, retention::expiry};

impl DeviceTable {
    /// Stores the tombstone of an erased account. It expires when no change of the graph can be replayed any more.
    pub async fn mark_erased(&self, user: &str, now: Timestamp) -> Result<(), Failure> {
        let put = self.client.put_item().table_name(&self.name);
        let put = put.item("user", text(user)).item("item", text(ERASED)).item("expires_at", expiry(now));
        put.send().await.map(drop).map_err(|error| Failure::aws("mark an account as erased", error))
    }

    /// Whether the account of `user` is being erased; strongly consistent.
    pub async fn is_erased(&self, user: &str) -> Result<bool, Failure> {
        Ok(self.row(user, ERASED, "read whether an account is erased").await?.is_some())
    }

    /// Deletes the row of a device of an erased user, who can register none.
    pub async fn delete_of_erased(&self, device: &Device) -> Result<(), Failure> {
        let delete = self.client.delete_item().table_name(&self.name);
        let delete = delete.key("user", text(&device.user)).key("item", text(device_item(&device.id)));
        delete.send().await.map(drop).map_err(|error| Failure::aws("delete a device of an erased account", error))
    }

    /// Deletes the preferences of `user`.
    pub async fn delete_preferences(&self, user: &str) -> Result<(), Failure> {
        let delete = self.client.delete_item().table_name(&self.name);
        let delete = delete.key("user", text(user)).key("item", text(PREFERENCES));
        delete.send().await.map(drop).map_err(|error| Failure::aws("delete preferences", error))
    }
}
