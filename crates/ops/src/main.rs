//! `cargo xtask ops`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use ops::{Arguments, run, session};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run_command(Arguments::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("✗ {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run_command(arguments: Arguments) -> Result<ExitCode> {
    let config = session::config(arguments.endpoint_url).await;
    let report = run(config, &arguments.stack, &arguments.command).await?;
    println!("{}", if arguments.json { serde_json::to_string_pretty(&report)? } else { report.to_string() });
    Ok(if report.fails() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
