//! The same pictures by image-webp, to the last bit; and cut and damaged ones.

mod damage;
mod reference;
mod sample;
