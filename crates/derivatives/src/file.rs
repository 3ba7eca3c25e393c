use std::{fmt, io, path::PathBuf, sync::Arc};

use sha2::{Digest, Sha256};

/// A derivative to store. The content under a key never changes.
#[derive(Debug)]
pub struct File {
    /// In the bucket of derivatives.
    pub key: String,
    /// The media type for clients.
    pub content_type: String,
    /// The bytes.
    pub content: Content,
}

/// The bytes of a file.
pub enum Content {
    /// In memory.
    Bytes(Vec<u8>),
    /// On disk, as long as `folder` is held.
    Disk {
        /// The file.
        path: PathBuf,
        /// A guard that deletes the folder when it is dropped.
        folder: Arc<dyn Send + Sync>,
    },
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Disk { path, .. } => write!(f, "Disk({})", path.display()),
        }
    }
}

/// The first 128 bits of the content's SHA-256 in hexadecimal digits, for keys. Two files of an item never share a key.
///
/// # Errors
/// If `content` cannot be read.
pub fn content_hash(mut content: impl io::Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut content, &mut hash)?;
    Ok(hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_hash_depends_on_content_only() {
        assert_eq!(content_hash(&b""[..]).expect("a hash"), "e3b0c44298fc1c149afbf4c8996fb924");
        assert_ne!(content_hash(&b"a"[..]).expect("a hash"), content_hash(&b"b"[..]).expect("a hash"));
    }
}
