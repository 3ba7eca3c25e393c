//! Temporary folders on the disk of the execution environment.

use std::{env, fs, io, path::Path, process};

use tempfile::TempDir;

/// The names of all folders start with this prefix and the process id.
const PREFIX: &str = "audio-worker-";

/// An empty folder, which is removed when it is dropped.
///
/// Folders of killed processes are removed first. Lambda starts the next process with the same disk, which may be too small
/// for two long recordings.
pub fn create() -> io::Result<TempDir> {
    let parent = env::temp_dir();
    remove_leftovers(&parent)?;
    tempfile::Builder::new().prefix(&format!("{PREFIX}{}-", process::id())).tempdir_in(parent)
}

fn remove_leftovers(parent: &Path) -> io::Result<()> {
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        let name = entry.file_name();
        let id = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split_once('-')?.0.parse::<u32>().ok());
        if id.is_some_and(|id| !Path::new("/proc").join(id.to_string()).exists()) {
            match fs::remove_dir_all(entry.path()) {
                // Another process has removed it.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropped_folder_is_removed_with_its_files() {
        let (one, other) = (create().expect("a folder"), create().expect("a folder"));
        fs::write(one.path().join("x"), "x").expect("written");
        assert_ne!(one.path(), other.path());
        let path = one.path().to_owned();
        drop(one);
        assert!(!path.exists() && other.path().exists());
    }

    #[test]
    fn folder_of_a_dead_process_is_removed() {
        // Linux assigns no process this id.
        let dead = env::temp_dir().join(format!("{PREFIX}{}-0", u32::MAX));
        fs::create_dir_all(&dead).expect("a folder");
        let (one, other) = (create().expect("a folder"), create().expect("a folder"));
        assert!(!dead.exists() && one.path().exists() && other.path().exists());
    }
}
