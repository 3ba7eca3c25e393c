//! The instruction set of functions that `sam build` has built.

use std::{fs::File, io::Read, path::Path};

/// The instruction set of a Linux program, as Lambda names it, from the start of its file; `None` for other files.
/// Source: ELF specification, `e_machine`.
pub fn architecture(header: &[u8]) -> Option<&'static str> {
    let machine = header.strip_prefix(b"\x7fELF").and_then(|rest| rest.get(14..16))?;
    match machine {
        [0x3e, 0] => Some("x86_64"),
        [0xb7, 0] => Some("arm64"),
        _ => None,
    }
}

/// The instruction set of a package of `sam build`; `None` if nothing is built.
pub fn built_for(checkout: &Path) -> Option<&'static str> {
    let mut header = [0; 20];
    File::open(checkout.join(".aws-sam/build/Thumbnailer/bootstrap")).ok()?.read_exact(&mut header).ok()?;
    architecture(&header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn architecture_is_that_of_the_header() {
        let of = |machine: [u8; 2]| {
            architecture(&[&b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0"[..], &machine[..]].concat())
        };
        assert_eq!((of([0x3e, 0]), of([0xb7, 0]), of([3, 0])), (Some("x86_64"), Some("arm64"), None));
        assert_eq!((architecture(b"PK\x03\x04"), architecture(b"")), (None, None));
        let own = std::fs::read(std::env::current_exe().expect("a path")).expect("a program");
        let expected = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
        assert_eq!(architecture(&own), Some(expected).filter(|_| cfg!(target_os = "linux")));
    }
}
