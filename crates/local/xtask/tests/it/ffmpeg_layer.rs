//! The Lambda layer with ffmpeg.

use std::{fs, path::Path};

use stack::tools::{Tool, ffmpeg, ffmpeg_digest, make_ffmpeg_layer};

/// The output of a Python program.
fn python(program: &str, arguments: &[&Path]) -> String {
    Tool::Audio.install().expect("the audio tools");
    let output = Tool::Audio.command("python").args(["-c", program]).args(arguments).output().expect("Python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
}

#[test]
fn recorded_digest_is_that_of_the_tested_ffmpeg() {
    let program = "import hashlib, sys; print(hashlib.file_digest(open(sys.argv[1], 'rb'), 'sha256').hexdigest())";
    Tool::Audio.install().expect("the audio tools");
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    assert_eq!(python(program, &[&ffmpeg().expect("ffmpeg")]), ffmpeg_digest(architecture).expect("a digest"));
    for architecture in ["x86_64", "arm64"] {
        assert_eq!(ffmpeg_digest(architecture).expect("a digest").len(), 64);
    }
    assert!(ffmpeg_digest("riscv").is_err());
}

#[test]
fn layer_has_an_executable_with_the_expected_digest_and_is_reproducible() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let wheel = path("imageio_ffmpeg-1-py3-none-any.whl");
    let make_wheel = "import sys, zipfile; zipfile.ZipFile(sys.argv[1], 'w').writestr('imageio_ffmpeg/binaries/ffmpeg-linux-v1', 'x')";
    python(make_wheel, &[&wheel]);
    // printf x | sha256sum
    let digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
    let make = |digest: &str, target: &Path| {
        make_ffmpeg_layer(&wheel, digest, target).expect("a command").output().expect("output")
    };
    for name in ["one.zip", "two.zip"] {
        let output = make(digest, &path(name));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(fs::read(path("one.zip")).expect("a ZIP"), fs::read(path("two.zip")).expect("a ZIP"));
    let list = "import sys, zipfile; print([(i.filename, oct(i.external_attr >> 16)) for i in zipfile.ZipFile(sys.argv[1]).infolist()])";
    assert_eq!(python(list, &[&path("one.zip")]), "[('bin/ffmpeg', '0o755')]");
    let other = make(&digest.replace('2', "3"), &path("three.zip"));
    assert!(!other.status.success() && !path("three.zip").exists());
}
