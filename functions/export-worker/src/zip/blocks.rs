//! Deflate blocks without compression (RFC 1951, 3.2.4). Each begins at a byte, so a stream of them can end after any
//! block and be continued later.

/// Bytes of a block's content.
const MAX_BLOCK: usize = 65_535;
/// Bytes of a block's header.
const BLOCK_HEADER: u64 = 5;

/// An empty last block.
pub const END_BLOCK: [u8; 5] = [1, 0, 0, 0xff, 0xff];

/// Adds `content` to `to`, in blocks. Returns the number of added bytes.
pub fn write_blocks(content: &[u8], to: &mut Vec<u8>) -> u64 {
    let before = to.len();
    for block in content.chunks(MAX_BLOCK) {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        to.push(0);
        to.extend(length.to_le_bytes());
        to.extend((!length).to_le_bytes());
        to.extend_from_slice(block);
    }
    (to.len() - before) as u64
}

/// The most bytes that a content of `size` bytes takes, if it is written in pieces of at least 64 kB.
pub fn stored_size(size: u64) -> u64 {
    // A piece may end with a short block.
    let blocks = size.div_ceil(MAX_BLOCK as u64 / 2).saturating_add(2);
    size.saturating_add(blocks.saturating_mul(BLOCK_HEADER))
}
