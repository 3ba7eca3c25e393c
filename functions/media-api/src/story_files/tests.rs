mod calls;
mod interleavings;
mod memory;
