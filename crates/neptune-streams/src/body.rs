//! The body of a response: size limit and gzip.

use std::{
    borrow::Cow,
    io::{self, Read},
};

use flate2::read::MultiGzDecoder;

/// The most bytes of a body, before and after inflating. Neptune cuts pages at 10 MB, but never within a
/// record, and one property may have 55 MB.
pub(crate) const MAX_BYTES: usize = 128 << 20;

/// Inflates the body if its first bytes are gzip's signature. JSON never begins with them.
///
/// # Errors
/// If the gzip data is damaged, or inflates to more than `max_bytes`.
pub(crate) fn decompress(body: &[u8], max_bytes: usize) -> io::Result<Cow<'_, [u8]>> {
    if !body.starts_with(&[0x1f, 0x8b]) {
        return Ok(Cow::Borrowed(body));
    }
    let mut content = Vec::with_capacity(body.len().saturating_mul(4).min(max_bytes));
    let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX);
    let mut decoder = MultiGzDecoder::new(body).take(limit);
    decoder.read_to_end(&mut content)?;
    // The limit is reached: any further byte exceeds it.
    if decoder.limit() == 0 && decoder.into_inner().read(&mut [0])? > 0 {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the response inflates beyond the limit"));
    }
    Ok(Cow::Owned(content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn decompress_inflates_gzip_up_to_the_limit() {
        assert_eq!(decompress(b"{}", 1).expect("plain text").as_ref(), b"{}");
        let zeros = "0".repeat(100_000);
        let gzipped = testing::gzip(&zeros);
        assert_eq!(decompress(&gzipped, 100_000).expect("inflated").as_ref(), zeros.as_bytes());
        assert_eq!(decompress(&gzipped, 99_999).expect_err("over the limit").kind(), io::ErrorKind::FileTooLarge);
        assert!(decompress(&gzipped[..50], usize::MAX).is_err());
    }
}
