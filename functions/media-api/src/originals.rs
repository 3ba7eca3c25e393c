use aws_sdk_s3::Client;
use function_kit::failure::Failure;

/// The bucket of originals, of which this function may only delete.
pub struct Originals {
    /// The S3 client.
    pub s3: Client,
    /// The bucket's name.
    pub bucket: String,
}

impl Originals {
    /// Deletes the original at `key`. A missing original is not an error.
    pub async fn delete(&self, key: &str) -> Result<(), Failure> {
        let delete = self.s3.delete_object().bucket(&self.bucket).key(key);
        delete.send().await.map(drop).map_err(|error| Failure::aws("delete an original", error))
    }
}
