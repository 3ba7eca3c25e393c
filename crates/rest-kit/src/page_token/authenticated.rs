//! The bytes that a token authenticates besides its payload.

/// The first byte of tokens of the previous version.
pub(super) const PREVIOUS_VERSION: u8 = 1;

/// The bytes that a token authenticates. Each text follows its length, so no two contexts have the same bytes.
pub(super) fn authenticated(purpose: &str, context: &[&str], payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![PREVIOUS_VERSION];
    for text in [purpose].iter().chain(context) {
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes.extend((payload.len() as u64).to_be_bytes());
    bytes.extend(payload);
    bytes
}
