//! Tokens of the previous version, which were signed and not encrypted. They are still accepted, but no longer made.
//!
//! Remove this file two days after the deploy of the version that introduces it: S3 aborts unfinished uploads after one
//! day, so that no handle is older, and apps restart a list whose cursor is refused.

use ring::hmac;

use super::authenticated::authenticated;

/// The length of the tag (HMAC-SHA-256) before the payload.
const TAG_BYTES: usize = 32;

/// The payload, if `token`, without its first byte, was signed for this `purpose` and `context`.
pub(super) fn verify(key: &hmac::Key, purpose: &str, context: &[&str], token: &[u8]) -> Option<Vec<u8>> {
    let (tag, payload) = token.split_at_checked(TAG_BYTES)?;
    hmac::verify(key, &authenticated(purpose, context, payload), tag).ok()?;
    Some(payload.to_vec())
}
