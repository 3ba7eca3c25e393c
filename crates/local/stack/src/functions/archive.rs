//! The archives of functions. From folders, the SAM CLI would make its own for each deployment, with slow compression.

use std::{
    fs::{self, File},
    io::{self, BufWriter},
    path::Path,
};

use anyhow::Result;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// Writes an archive of the function's binary.
pub fn write(binary: &Path, archive: &Path) -> Result<()> {
    // Incomplete files have another name.
    let new = archive.with_extension("new");
    let mut zip = ZipWriter::new(BufWriter::new(File::create(&new)?));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(1))
        .unix_permissions(0o755);
    zip.start_file("bootstrap", options)?;
    io::copy(&mut File::open(binary)?, &mut zip)?;
    zip.finish()?.into_inner()?;
    Ok(fs::rename(new, archive)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archive_holds_an_executable_bootstrap() {
        let folder = tempfile::tempdir().expect("a folder");
        let (binary, archive) = (folder.path().join("binary"), folder.path().join("code.zip"));
        fs::write(&binary, b"binary").expect("written");
        write(&binary, &archive).expect("an archive");
        let mut zip = zip::ZipArchive::new(File::open(archive).expect("a file")).expect("a zip");
        let mut entry = zip.by_name("bootstrap").expect("an entry");
        assert_eq!(entry.unix_mode().map(|mode| mode & 0o777), Some(0o755));
        let mut bytes = Vec::new();
        io::copy(&mut entry, &mut bytes).expect("read");
        assert_eq!(bytes, b"binary");
    }
}
