//! `cargo xtask ops`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use ops::{Arguments, Session, run, session};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match report(Arguments::parse()).await {
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

async fn report(arguments: Arguments) -> Result<String> {
    let config = session::config(arguments.endpoint_url).await;
    let session = Session::open(config, &arguments.stack).await?;
    let report = run(&session, &arguments.command).await?;
    Ok(if arguments.json { serde_json::to_string_pretty(&report)? } else { report.to_string() })
}
