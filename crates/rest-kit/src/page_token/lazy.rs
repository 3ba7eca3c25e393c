use std::{sync::Arc, time::Instant};

use aws_sdk_secretsmanager::Client;
use function_kit::failure::Failure;

use super::TokenCipher;
use crate::renewed::Renewed;

/// The shortest accepted secret, in bytes: the length of the hash (RFC 2104, section 3).
const MIN_SECRET_BYTES: usize = 32;

const DOING: &str = "read the secret of tokens";

/// A cipher whose secret is in Secrets Manager. The secret is read at first use, because most requests have no token, and
/// again after some minutes, because it may be rotated. The value before the rotation still decrypts. Within these minutes,
/// tokens of other execution environments may be refused.
#[derive(Debug)]
pub struct LazyTokenCipher {
    client: Client,
    secret_arn: String,
    cipher: Renewed<TokenCipher>,
}

impl LazyTokenCipher {
    /// The cipher with the secret of this ARN.
    pub fn new(client: Client, secret_arn: String) -> Self {
        Self { client, secret_arn, cipher: Renewed::default() }
    }

    /// The cipher itself.
    ///
    /// # Errors
    /// If the secret was never read and cannot be read now; a bug, if it is shorter than 32 bytes.
    #[tracing::instrument(level = "error", name = "secretsmanager", skip_all)]
    pub async fn get(&self) -> Result<Arc<TokenCipher>, Failure> {
        self.cipher.get(Instant::now(), async |_| Ok(Arc::new(self.read().await?))).await
    }

    async fn read(&self) -> Result<TokenCipher, Failure> {
        let current = self.secret("AWSCURRENT").await?.ok_or_else(|| Failure::bug(DOING, "it has no value"))?;
        let cipher = cipher(&current)?;
        Ok(match self.secret("AWSPREVIOUS").await? {
            Some(previous) => cipher.replacing(self::cipher(&previous)?),
            None => cipher,
        })
    }

    /// The value at a stage of rotation, if there is one.
    async fn secret(&self, stage: &str) -> Result<Option<String>, Failure> {
        let request = self.client.get_secret_value().secret_id(&self.secret_arn).version_stage(stage);
        match request.send().await {
            Ok(answer) => Ok(Some(answer.secret_string.unwrap_or_default())),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => {
                Ok(None)
            }
            Err(error) => Err(Failure::aws(DOING, error)),
        }
    }
}

fn cipher(secret: &str) -> Result<TokenCipher, Failure> {
    if secret.len() < MIN_SECRET_BYTES {
        return Err(Failure::bug(DOING, "it is too short"));
    }
    Ok(TokenCipher::new(secret.as_bytes()))
}
