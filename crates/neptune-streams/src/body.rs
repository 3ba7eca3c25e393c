//! The bytes of an answer.

use std::{
    borrow::Cow,
    io::{self, Read},
};

use flate2::read::MultiGzDecoder;

/// Neptune cuts pages at 10 MB, but for the record that goes beyond it, and a property may be 55 MB.
pub(crate) const MAX_BYTES: usize = 128 << 20;

/// The body as text: inflated if it is gzip, which its first bytes tell. JSON never begins so.
///
/// Fails on damaged gzip, and on more than `max_bytes` of content.
pub(crate) fn decompressed(body: &[u8], max_bytes: usize) -> io::Result<Cow<'_, [u8]>> {
    if !body.starts_with(&[0x1f, 0x8b]) {
        return Ok(Cow::Borrowed(body));
    }
    let mut content = Vec::with_capacity(body.len().saturating_mul(4).min(max_bytes));
    let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX);
    let mut decoder = MultiGzDecoder::new(body).take(limit);
    decoder.read_to_end(&mut content)?;
    // At the limit, something more to read is too much.
    if decoder.limit() == 0 && decoder.into_inner().read(&mut [0])? > 0 {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the answer inflates beyond all measure"));
    }
    Ok(Cow::Owned(content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn inflates_gzip_only_and_within_bounds() {
        assert_eq!(decompressed(b"{}", 1).expect("plain").as_ref(), b"{}");
        let zeros = "0".repeat(100_000);
        let gzipped = testing::gzip(&zeros);
        assert_eq!(decompressed(&gzipped, 100_000).expect("inflated").as_ref(), zeros.as_bytes());
        assert_eq!(decompressed(&gzipped, 99_999).expect_err("too much").kind(), io::ErrorKind::FileTooLarge);
        assert!(decompressed(&gzipped[..50], usize::MAX).is_err());
    }
}
