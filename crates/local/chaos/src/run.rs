//! `cargo xtask chaos`: executes histories on a separate stack.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use http_server::ShutdownSignal;
use stack::{Stack, emulator, search_server::Engine};
use tokio::runtime;

use super::{
    check::{EarlierHistories, Findings, check},
    driver::Driver,
    generator::history,
    plan::plan,
    queues,
    report::{Report, folder},
    size::Size,
};

/// Audiences have several pages, and a reset starts a generation. The model knows the cooldown.
const PARAMETERS: [(&str, &str); 3] = [("FollowersPerPage", "2"), ("PollOnReset", "oldest"), ("PushCooldown", "3600")];

/// Arguments of `cargo xtask chaos`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Start no further history after this many minutes.
    #[arg(long, default_value_t = 1)]
    minutes: u64,
    /// Seed of the first history. Each further history uses the next number.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of operations per history.
    #[arg(long, default_value_t = 200)]
    operations: usize,
    /// Number of restarts of the emulator per history.
    #[arg(long, default_value_t = 1)]
    restarts: usize,
    /// Number of restarts of the search engine per history, if it is OpenSearch.
    #[arg(long, default_value_t = 1)]
    search_restarts: usize,
    /// Number of fast resets of the graph per history with an odd seed. Others have none: after a reset, projections keep
    /// what they have of the graph before, so traces of erased persons cannot be told apart.
    #[arg(long, default_value_t = 1)]
    resets: usize,
    /// Name of the stack, and of the folder of reports in `target`. Runs with different names can run at the same time.
    #[arg(long, default_value = "chaos")]
    stack: String,
    /// Leave the stack running.
    #[arg(long)]
    keep: bool,
}

impl Arguments {
    /// One short history.
    pub fn short() -> Self {
        Self {
            minutes: 0,
            seed: 1,
            operations: 40,
            restarts: 0,
            search_restarts: 1,
            resets: 1,
            stack: "chaos".to_owned(),
            keep: false,
        }
    }
}

/// Executes histories until the time is over, or until SIGTERM or Ctrl-C.
///
/// # Errors
/// If the stack does not start, the final state of a history differs from the model, or on a signal.
pub fn run(arguments: &Arguments) -> Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    // Installed before any process is started, so that no signal is missed.
    let mut shutdown = {
        let _guard = runtime.enter();
        ShutdownSignal::listen()?
    };
    let mut reports = Vec::new();
    let result = run_all(&runtime, &mut shutdown, arguments, &mut reports);
    if !arguments.keep {
        // The stack may be partially started, so its recorded processes are stopped.
        Stack::stop_named(&arguments.stack)?;
    }
    let all = Report::total(&reports);
    all.print(&format!("{} histories", reports.len()));
    all.write(&arguments.stack, "summary")?;
    result?;
    ensure!(
        all.violations.is_empty(),
        "{} violations; see {}",
        all.violations.len(),
        folder(&arguments.stack).display()
    );
    Ok(())
}

fn run_all(
    runtime: &runtime::Runtime,
    shutdown: &mut ShutdownSignal,
    arguments: &Arguments,
    reports: &mut Vec<Report>,
) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(60 * arguments.minutes);
    let mut clean = None;
    for seed in arguments.seed.. {
        // The state after a failed history would fail the next one.
        let (mut stack, mut earlier) = match clean.take() {
            Some(clean) => clean,
            None => {
                let stack = Stack::start_with_fault_proxy(&arguments.stack, Engine::for_tests()?, &PARAMETERS)?;
                runtime.block_on(queues::shorten_timeouts(&stack))?;
                (stack, EarlierHistories::default())
            }
        };
        let report = runtime.block_on(async {
            tokio::select! {
                report = run_operation(&mut stack, seed, arguments, &mut earlier) => Some(report),
                () = shutdown.wait() => None,
            }
        });
        let Some(report) = report else { bail!("interrupted during seed {seed}") };
        report.print(&format!("seed {seed}"));
        report.write(&arguments.stack, &seed.to_string())?;
        if report.violations.is_empty() {
            clean = Some((stack, earlier));
        } else {
            fs::copy(emulator::log_file(&arguments.stack), folder(&arguments.stack).join(format!("{seed}.log")))?;
        }
        reports.push(report);
        if Instant::now() >= end {
            break;
        }
    }
    Ok(())
}

/// Executes a history and checks the final state. An incomplete history counts as a violation.
async fn run_operation(stack: &mut Stack, seed: u64, arguments: &Arguments, earlier: &mut EarlierHistories) -> Report {
    let start = Instant::now();
    let mut report = Report::new(seed);
    match run_history(stack, seed, arguments, earlier, &mut report).await {
        Ok(findings) => report.add_findings(findings),
        Err(error) => report.violations.push(format!("{error:#}")),
    }
    report.seconds = start.elapsed().as_secs();
    report
}

async fn run_history(
    stack: &mut Stack,
    seed: u64,
    arguments: &Arguments,
    earlier: &mut EarlierHistories,
    report: &mut Report,
) -> Result<Findings> {
    let since = stack.mobile_push().head().await?;
    let faults = stack.fault_proxy()?;
    let mut driver = Driver::new(stack, &arguments.stack).await?;
    let size = Size {
        operations: arguments.operations,
        photographs: driver.actors.photographs(),
        restarts: arguments.restarts,
        search_restarts: arguments.search_restarts,
        resets: if seed % 2 == 1 { arguments.resets } else { 0 },
    };
    report.history = history(seed, size);
    faults.set(&plan(seed)).await?;
    let result = driver.run_all(report.history.clone()).await;
    report.add_operations(&driver);
    report.add_faults(faults.clear().await?);
    result?;
    let drain_start = Instant::now();
    let drained = driver.drain().await;
    report.drain_seconds = drain_start.elapsed().as_secs();
    drained?;
    check(&driver, since, earlier).await
}
