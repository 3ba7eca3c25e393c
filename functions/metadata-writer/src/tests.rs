mod interleavings;
mod media_generations;
mod memory;
