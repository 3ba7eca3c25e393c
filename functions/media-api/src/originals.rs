use aws_sdk_s3::Client;
use function_kit::failure::Failure;

/// The bucket of originals, where this function only deletes.
pub struct Originals {
    /// Deletes.
    pub s3: Client,
    /// Where they are.
    pub bucket: String,
}

impl Originals {
    /// Deletes the original at `key`; that it has gone already is as good.
    pub async fn delete(&self, key: &str) -> Result<(), Failure> {
        let deleted = self.s3.delete_object().bucket(&self.bucket).key(key).send().await;
        deleted.map_err(|error| Failure::aws("delete an original", error))?;
        Ok(())
    }
}
