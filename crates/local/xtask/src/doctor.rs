//! `cargo xtask doctor`: what a fresh machine lacks.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use stack::{
    paths,
    tools::{
        opensearch,
        prerequisites::{self, Prerequisite},
    },
};

/// Disk space for a build of everything with its tests and the tools, in GiB.
const DISK_GIB: u64 = 15;
/// Memory for compiling on two cores beside the emulators, in GiB.
const MEMORY_GIB: u64 = 6;

/// Prints what is there and what is missing.
///
/// # Errors
/// If something is missing.
pub fn run() -> Result<()> {
    let mut missing = 0;
    let mut report = |is_fine: bool, name: &str, remedy: &str| {
        println!(
            "{} {name}{}",
            if is_fine { "✓" } else { "✗" },
            if is_fine { String::new() } else { format!("\n    {remedy}") }
        );
        missing += u32::from(!is_fine);
    };
    for prerequisite in &prerequisites::ALL {
        report(
            prerequisite.is_there(),
            prerequisite.name,
            &format!("{}: {}", prerequisite.reason, prerequisite.install),
        );
    }
    for (program, remedy) in
        [("rustfmt", "rustup component add rustfmt"), ("clippy-driver", "rustup component add clippy")]
    {
        let is_there = PathBuf::from(std::env::var_os("CARGO").unwrap_or_default()).with_file_name(program).is_file();
        report(is_there, &format!("{program} (for `cargo xtask test`)"), remedy);
    }
    let disk = free_disk_gib()?;
    report(disk >= DISK_GIB, &format!("{DISK_GIB} GiB of disk space: {disk} GiB are free"), "Free some space.");
    if let Some(memory) = memory_gib() {
        let remedy = "Compile with fewer jobs: CARGO_BUILD_JOBS=1.";
        report(memory >= MEMORY_GIB, &format!("{MEMORY_GIB} GiB of memory: {memory} GiB are installed"), remedy);
    }
    if let Some(opensearch) = opensearch::missing() {
        let Prerequisite { name, reason, install, .. } = opensearch;
        println!("· optional: {name}\n    {reason}: {install}");
    }
    ensure!(missing == 0, "{missing} missing");
    Ok(())
}

fn free_disk_gib() -> Result<u64> {
    let disk = rustix::fs::statvfs(paths::root()).context("cannot read the free disk space")?;
    Ok((disk.f_bavail * disk.f_frsize) >> 30)
}

/// The memory of this machine, on Linux.
fn memory_gib() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let kib: u64 =
        text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?.trim().trim_end_matches(" kB").parse().ok()?;
    // Rounded, since the kernel keeps some for itself.
    Some((kib + (1 << 19)) >> 20)
}
