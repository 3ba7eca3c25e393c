//! The executables of the functions.

use std::fs;

use stack::paths;

/// `e_type` of a shared object or position-independent executable (ELF specification, "ELF header").
const ET_DYN: u16 = 3;

#[test]
fn every_built_function_is_position_independent() {
    let functions = fs::read_dir(paths::root().join("functions")).expect("functions").count();
    let mut checked = 0;
    for entry in fs::read_dir(paths::root().join(".aws-sam/build")).expect("built functions") {
        let bootstrap = entry.expect("entry").path().join("bootstrap");
        // The built template lies beside the functions.
        if bootstrap.exists() {
            let file = fs::read(&bootstrap).expect("executable");
            assert_eq!(file.get(..4), Some(&b"\x7fELF"[..]), "{} is no ELF file", bootstrap.display());
            let kind = u16::from_le_bytes([file[16], file[17]]);
            assert_eq!(kind, ET_DYN, "{} has a fixed address", bootstrap.display());
            checked += 1;
        }
    }
    assert!(checked >= functions, "only {checked} of {functions} functions are built");
}
