mod interleavings;
mod memory;
