mod interleavings;
mod media_generations;
mod memory;
mod story_files;
