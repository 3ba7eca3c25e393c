use std::time::Duration;

use aws_sdk_s3::{Client, presigning::PresigningConfig};
use function_kit::failure::Failure;

/// How long a link works. A link also dies with the session that signed it, at the earliest some
/// hours after this function started.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Signs links to derived files; the bucket itself is closed.
pub struct Links {
    pub s3: Client,
    pub bucket: String,
}

impl Links {
    /// A link that lets whoever has it fetch the file at `key`, for 15 minutes. No call to AWS.
    pub async fn to(&self, key: &str) -> Result<String, Failure> {
        let signing = PresigningConfig::expires_in(LIFETIME).map_err(|error| Failure::bug("sign a link", error))?;
        let request = self.s3.get_object().bucket(&self.bucket).key(key).presigned(signing).await;
        request.map(|request| request.uri().to_owned()).map_err(|error| Failure::aws("sign a link", error))
    }
}
