//! The executables of the functions.

use std::{fs, path::Path};

use stack::{functions, paths};

/// `e_type` of a shared object or position-independent executable (ELF specification, "ELF header").
const ET_DYN: u16 = 3;

/// Checks the executables in the subfolders of `folder`; returns how many there are.
fn check_executables(folder: &Path) -> usize {
    let subfolders = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("entry").path());
    let executables = subfolders.map(|subfolder| subfolder.join("bootstrap")).filter(|executable| executable.exists());
    executables
        .map(|executable| {
            let file = fs::read(&executable).expect("executable");
            assert_eq!(file.get(..4), Some(&b"\x7fELF"[..]), "{} is no ELF file", executable.display());
            let kind = u16::from_le_bytes([file[16], file[17]]);
            assert_eq!(kind, ET_DYN, "{} has a fixed address", executable.display());
        })
        .count()
}

#[test]
fn every_built_function_is_position_independent() {
    let expected = fs::read_dir(paths::root().join("functions")).expect("functions").count();
    let packages = functions::packaged_binary("Thumbnailer");
    let packages = packages.ancestors().nth(2).expect("folder of the packages");
    let packaged = check_executables(packages);
    assert!(packaged >= expected, "only {packaged} of {expected} functions are packaged");
    // Functions that were built for AWS.
    check_executables(&paths::root().join(".aws-sam/build"));
}
