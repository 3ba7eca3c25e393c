use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

/// The name of all folders of this kind, before the process id.
const PREFIX: &str = "audio-worker-";

/// A folder on the disk for temporary files, which goes with this value.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// An empty folder. What processes that were killed have left behind is removed first: Lambda
    /// starts the next one on the same disk, and two long recordings may not fit there.
    pub fn new() -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let parent = env::temp_dir();
        remove_left_over(&parent)?;
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = parent.join(format!("{PREFIX}{}-{number}", process::id()));
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            // A process had the same id: it is dead.
            _ => fs::create_dir(&folder)?,
        }
        Ok(Self(folder))
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Where a file of this name would be.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "temporary files stay");
        }
    }
}

fn remove_left_over(parent: &Path) -> io::Result<()> {
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        let name = entry.file_name();
        let id = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split_once('-')?.0.parse::<u32>().ok());
        if id.is_some_and(|id| !Path::new("/proc").join(id.to_string()).exists()) {
            match fs::remove_dir_all(entry.path()) {
                // Another process was quicker.
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
    fn folders_are_apart_and_go() {
        let (one, other) = (Scratch::new().expect("a folder"), Scratch::new().expect("a folder"));
        fs::write(one.file("x"), "x").expect("written");
        assert_ne!(one.0, other.0);
        let path = one.0.clone();
        drop(one);
        assert!(!path.exists() && other.0.exists());
    }

    #[test]
    fn only_what_the_dead_left_is_removed() {
        // No process has this id: it is above what Linux gives out.
        let dead = env::temp_dir().join(format!("{PREFIX}{}-0", u32::MAX));
        fs::create_dir_all(&dead).expect("a folder");
        let living = Scratch::new().expect("a folder");
        let another = Scratch::new().expect("a folder");
        assert!(!dead.exists() && living.0.exists() && another.0.exists());
    }
}
