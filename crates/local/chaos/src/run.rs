//! `cargo xtask chaos`: one history after the other, on a stack of its own.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use http_server::ShutdownSignal;
use stack::{Stack, emulator};
use tokio::runtime;

use super::{
    check::{Findings, Legacy, check},
    driver::Driver,
    generator::{Size, history},
    plan::plan,
    queues,
    report::{Report, folder},
};

/// The stack that histories are played on.
const STACK: &str = "chaos";

/// `cargo xtask chaos`' arguments.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Begin no further history after so many minutes.
    #[arg(long, default_value_t = 1)]
    minutes: u64,
    /// The first history's seed; the next has the next.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many operations a history has.
    #[arg(long, default_value_t = 200)]
    operations: usize,
    /// How often the emulator is started again in a history.
    #[arg(long, default_value_t = 1)]
    restarts: usize,
    /// Leave the stack running afterwards.
    #[arg(long)]
    keep: bool,
}

impl Arguments {
    /// One short history, as a test.
    pub fn short() -> Self {
        Self { minutes: 0, seed: 1, operations: 60, restarts: 0, keep: false }
    }
}

/// Plays histories until the time is up, or SIGTERM or Ctrl-C comes.
///
/// # Errors
/// If the stack does not start, a history ends otherwise than the model says, or a signal came first.
pub fn run(arguments: &Arguments) -> Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    // Before anything is started: no signal is missed.
    let mut ended = {
        let _guard = runtime.enter();
        ShutdownSignal::listen()?
    };
    let mut reports = Vec::new();
    let played = play(&runtime, &mut ended, arguments, &mut reports);
    if !arguments.keep {
        // By what is written down of it: it may have been half started.
        Stack::stop_named(STACK)?;
    }
    let all = Report::total(&reports);
    all.print(&format!("{} histories", reports.len()));
    all.write("summary")?;
    played?;
    ensure!(all.violations.is_empty(), "{} violations; see {}", all.violations.len(), folder().display());
    Ok(())
}

fn play(runtime: &runtime::Runtime, ended: &mut ShutdownSignal, arguments: &Arguments, reports: &mut Vec<Report>) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(60 * arguments.minutes);
    let mut clean = None;
    for seed in arguments.seed.. {
        // What a history that went wrong has left would be held against the next.
        let (mut stack, mut legacy) = match clean.take() {
            Some(clean) => clean,
            None => {
                let stack = Stack::start_with_faults(STACK)?;
                runtime.block_on(queues::hurry(&stack))?;
                (stack, Legacy::default())
            }
        };
        let report = runtime.block_on(async {
            tokio::select! {
                report = play_one(&mut stack, seed, arguments, &mut legacy) => Some(report),
                () = ended.wait() => None,
            }
        });
        let Some(report) = report else { bail!("ended while seed {seed} was played") };
        report.print(&format!("seed {seed}"));
        report.write(&seed.to_string())?;
        if report.violations.is_empty() {
            clean = Some((stack, legacy));
        } else {
            fs::copy(emulator::log_file(STACK), folder().join(format!("{seed}.log")))?;
        }
        reports.push(report);
        if Instant::now() >= end {
            break;
        }
    }
    Ok(())
}

/// Plays a history and looks at its end. What cannot be played to its end is as wrong as a wrong end.
async fn play_one(stack: &mut Stack, seed: u64, arguments: &Arguments, legacy: &mut Legacy) -> Report {
    let start = Instant::now();
    let mut report = Report::of(seed);
    match play_through(stack, seed, arguments, legacy, &mut report).await {
        Ok(findings) => report.add_findings(findings),
        Err(error) => report.violations.push(format!("{error:#}")),
    }
    report.seconds = start.elapsed().as_secs();
    report
}

async fn play_through(
    stack: &mut Stack,
    seed: u64,
    arguments: &Arguments,
    legacy: &mut Legacy,
    report: &mut Report,
) -> Result<Findings> {
    let since = stack.mobile_push().head().await?;
    let faults = stack.fault_proxy()?;
    let mut driver = Driver::new(stack, STACK).await?;
    let size =
        Size { operations: arguments.operations, photographs: driver.cast.photographs(), restarts: arguments.restarts };
    report.history = history(seed, size);
    faults.set(&plan(seed)).await?;
    let played = driver.play(report.history.clone()).await;
    report.add_doings(&driver);
    report.add_faults(faults.clear().await?);
    played?;
    let at_peace = Instant::now();
    let found = driver.find_peace().await;
    report.seconds_of_peace = at_peace.elapsed().as_secs();
    found?;
    check(&driver, since, legacy).await
}
