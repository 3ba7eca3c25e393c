//! The same pictures by image-webp, to the last bit; and cut and damaged ones.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail by panicking, too")]

mod damage;
mod reference;
mod sample;
