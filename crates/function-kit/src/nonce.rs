//! Random texts that name one write.

use ring::rand::{SecureRandom, SystemRandom};

use crate::failure::Failure;

/// A random text of 32 hexadecimal digits, which names one write and no other.
///
/// # Errors
/// A bug if the system has no random bytes.
pub fn nonce() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Failure::bug("choose a nonce", "the system has no random bytes"))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonces_differ() {
        let (first, second) = (nonce().expect("a nonce"), nonce().expect("a nonce"));
        assert_eq!((first.len(), second.len()), (32, 32));
        assert_ne!(first, second);
    }
}
