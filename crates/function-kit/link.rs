//! The build script of functions: they are linked to lie at one place in memory.
//!
//! A program that may lie anywhere carries a list of all addresses in it (0.6 MB), and puts each right before it starts,
//! which copies the pages that they are on. What the system places stays at random places: stacks, the heap, glibc.
//! `thumbnailer` and `audio-worker` do without this: they read what strangers made, partly in code that Rust does not
//! check, so that nobody is to know where their code lies. `docs/benchmarks/startup.md` has what this saves.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=../../crates/function-kit/link.rs");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    if is("PROFILE", "release") && is("CARGO_CFG_TARGET_OS", "linux") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
        // One table of symbols' names, not that of older systems, too.
        println!("cargo::rustc-link-arg-bins=-Wl,--hash-style=gnu");
    }
}
