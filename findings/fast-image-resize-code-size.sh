#!/usr/bin/env bash
# fast_image_resize: a program that resizes one pixel type compiles sixty copies of the same loop.
#
# One would guess: `resize_typed` with one pixel type compiles one loop for each instruction set, a few thousand lines.
# What happens: the number of bits of the coefficients is a const parameter of the loops, and a `match` over all its
# values instantiates each of them. Turning the vector code off at run time changes nothing. The crate that names the
# pixel type pays for it, and so does each of its test binaries: put the call into a crate of its own.
#
# Source: src/convolution/*/avx2.rs and sse4.rs of fast_image_resize 6.1.0 (macro `constify_imm8`).
# Needs: cargo with rustc 1.85 or newer on x86-64.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "resize"
version = "0.0.0"
edition = "2024"

[dependencies]
fast_image_resize = { version = "=6.1.0", default-features = false, features = ["std"] }
TOML
cat > src/lib.rs <<'RUST'
use fast_image_resize::{CpuExtensions, Resizer, images::{TypedImage, TypedImageRef}, pixels::U8x3};

pub fn half(samples: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut out = vec![0; (width / 2 * (height / 2) * 3) as usize];
    let from = TypedImageRef::<U8x3>::from_buffer(width, height, samples).unwrap();
    let mut to = TypedImage::<U8x3>::from_buffer(width / 2, height / 2, &mut out).unwrap();
    let mut resizer = Resizer::new();
    // SAFETY: every processor has no extensions.
    unsafe { resizer.set_cpu_extensions(CpuExtensions::None) };
    resizer.resize_typed(&from, &mut to, None).unwrap();
    out
}
RUST
cargo rustc --quiet --lib -- --emit=llvm-ir -C codegen-units=1
code=$(find target/debug/deps -name 'resize-*.ll')
lines=$(wc -l < "$code")
loops=$(grep -c '^define .*horiz_convolution_four_rows' "$code")
widest=$(grep '^define .*horiz_convolution_four_rows' "$code" | grep -c 'avx2')
echo "fast_image_resize 6.1.0: $lines lines of LLVM code for one call with one pixel type"
echo "copies of the loop over four rows: $loops, of which $widest for AVX2"
if [ "$lines" -lt 150000 ] || [ "$widest" -lt 15 ]; then
    echo "The behaviour has changed."
    exit 1
fi
