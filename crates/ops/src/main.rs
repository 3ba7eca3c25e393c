//! `cargo xtask ops`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use ops::{Arguments, Session, run, session};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run_command(Arguments::parse()).await {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("✗ {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run_command(arguments: Arguments) -> Result<String> {
    let config = session::config(arguments.endpoint_url).await;
    let session = Session::of(config, &arguments.stack).await?;
    let report = run(&session, &arguments.command).await?;
    Ok(if arguments.json { serde_json::to_string_pretty(&report)? } else { report.to_string() })
}
