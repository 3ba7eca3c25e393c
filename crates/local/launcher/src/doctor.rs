//! `cargo xtask doctor`: what a fresh machine lacks.

use std::{fs, process::Command};

use crate::{
    build::root,
    prerequisites::{ALL, FOR_OPENSEARCH, FOR_TESTS},
};

/// Disk space for a build of everything with its tests and the tools, in GiB.
const DISK_GIB: u64 = 15;
/// Memory for compiling on two cores beside the emulators, in GiB.
const MEMORY_GIB: u64 = 6;

/// Prints what is there, what is missing, and what is optional.
///
/// # Errors
/// If something is missing that is not optional.
pub fn run() -> Result<(), String> {
    let mut missing = 0;
    let mut report = |is_fine: bool, name: &str, remedy: &str| {
        println!("{} {name}", if is_fine { "✓" } else { "✗" });
        if !is_fine {
            println!("    {remedy}");
            missing += 1;
        }
    };
    for prerequisite in ALL.iter().chain(&FOR_TESTS) {
        let remedy = format!("{}: {}", prerequisite.reason, prerequisite.install);
        report(prerequisite.is_there(), prerequisite.name, &remedy);
    }
    let disk = free_disk_gib().ok_or("cannot read the free disk space")?;
    report(disk >= DISK_GIB, &format!("{DISK_GIB} GiB of disk space: {disk} GiB are free"), "Free some space.");
    // Only Linux has this file.
    if let Some(memory) = fs::read_to_string("/proc/meminfo").ok().and_then(|text| memory_gib(&text)) {
        let remedy = "Compile with fewer jobs: CARGO_BUILD_JOBS=1.";
        report(memory >= MEMORY_GIB, &format!("{MEMORY_GIB} GiB of memory: {memory} GiB are installed"), remedy);
    }
    for optional in FOR_OPENSEARCH.iter().filter(|prerequisite| !prerequisite.is_there()) {
        println!("· optional: {}\n    {}: {}", optional.name, optional.reason, optional.install);
    }
    if missing > 0 { Err(format!("{missing} missing")) } else { Ok(()) }
}

fn free_disk_gib() -> Option<u64> {
    let output = Command::new("df").arg("-Pk").arg(root()).output().ok()?;
    available_gib(&String::from_utf8_lossy(&output.stdout))
}

/// The available space in the output of `df -Pk`: its fourth column, in KiB. (POSIX)
fn available_gib(df: &str) -> Option<u64> {
    Some(df.lines().nth(1)?.split_whitespace().nth(3)?.parse::<u64>().ok()? >> 20)
}

/// The memory in `/proc/meminfo`, rounded, since the kernel keeps some for itself.
fn memory_gib(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some((kib + (1 << 19)) >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disk_space_is_read_from_df() {
        let df =
            "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a 263941104 20971520 76546048 22% /\n";
        assert_eq!(available_gib(df), Some(73));
        assert_eq!(available_gib("Filesystem\n"), None);
    }

    #[test]
    fn memory_is_rounded() {
        assert_eq!(memory_gib("MemFree: 1 kB\nMemTotal:       8147212 kB\n"), Some(8));
        assert_eq!(memory_gib("MemFree: 1 kB\n"), None);
    }
}
