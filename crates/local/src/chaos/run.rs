//! `cargo xtask chaos`: one history after the other, on a stack of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use domain::media::MediaId;
use serde::Serialize;

use super::{
    check::{Findings, check},
    driver::Driver,
    generator::{Size, history},
    operation::Operation,
    plan::plan,
    queues,
};
use crate::{paths, stack::Stack};

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

/// What became of one history.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    seed: u64,
    seconds: u64,
    seconds_of_peace: u64,
    operations: BTreeMap<String, u64>,
    requests: u64,
    faults: BTreeMap<String, u64>,
    kills: u64,
    restarts: u64,
    notifications_shown: u64,
    notifications_required: u64,
    shown_again_in_place: u64,
    settled: u64,
    files_ready: u64,
    violations: Vec<String>,
    history: Vec<Operation>,
}

/// Plays histories until the time is up.
///
/// # Errors
/// If the stack does not start, or a history ends otherwise than the model says.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut stack = Stack::start_with_faults(STACK)?;
    let played =
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(play(&mut stack, arguments));
    if !arguments.keep {
        stack.stop()?;
    }
    let reports = played?;
    let all = total(&reports);
    print(&format!("{} histories", reports.len()), &all);
    write("summary", &all)?;
    ensure!(all.violations.is_empty(), "{} violations; see {}", all.violations.len(), folder().display());
    Ok(())
}

async fn play(stack: &mut Stack, arguments: &Arguments) -> Result<Vec<Report>> {
    queues::hurry(stack).await?;
    let end = Instant::now() + Duration::from_secs(60 * arguments.minutes);
    let (mut reports, mut items) = (Vec::new(), BTreeSet::new());
    for seed in arguments.seed.. {
        let report = play_one(stack, seed, arguments, &mut items).await.with_context(|| format!("seed {seed}"))?;
        print(&format!("seed {seed}"), &report);
        write(&seed.to_string(), &report)?;
        reports.push(report);
        if Instant::now() >= end {
            break;
        }
    }
    Ok(reports)
}

async fn play_one(
    stack: &mut Stack,
    seed: u64,
    arguments: &Arguments,
    items: &mut BTreeSet<MediaId>,
) -> Result<Report> {
    let start = Instant::now();
    let since = stack.phones().head().await?;
    let faults = stack.faults()?;
    let mut driver = Driver::new(stack, STACK).await?;
    let size =
        Size { operations: arguments.operations, photographs: driver.cast.photographs(), restarts: arguments.restarts };
    let history = history(seed, size);
    faults.set(&plan(seed)).await?;
    let played = driver.play(history.clone()).await;
    let counts = faults.clear().await?;
    let at_peace = Instant::now();
    let ended = match played {
        Ok(()) => driver.find_peace().await,
        failed => failed,
    };
    let findings = match ended {
        Ok(()) => check(&driver, since, items).await?,
        // What could not be played to its end is as wrong as a wrong end, and no end to look at.
        Err(error) => Findings { violations: vec![format!("{error:#}")], ..Findings::default() },
    };
    let mut report = Report {
        seed,
        seconds: start.elapsed().as_secs(),
        seconds_of_peace: at_peace.elapsed().as_secs(),
        kills: driver.kills,
        notifications_shown: findings.shown,
        notifications_required: findings.required,
        shown_again_in_place: findings.shown_again,
        files_ready: findings.ready,
        violations: findings.violations,
        history,
        ..Report::default()
    };
    for done in &driver.done {
        *report.operations.entry(done.operation.name()).or_default() += 1;
        report.restarts += u64::from(done.operation == Operation::Restart);
        report.settled += u64::from(done.settled);
    }
    for count in counts {
        report.requests += count.requests;
        for (fault, times) in count.faults {
            *report.faults.entry(fault).or_default() += times;
        }
    }
    Ok(report)
}

/// All figures added up.
fn total(reports: &[Report]) -> Report {
    let mut all = Report::default();
    for report in reports {
        all.seed = reports.first().map_or(0, |first| first.seed);
        all.seconds += report.seconds;
        all.seconds_of_peace += report.seconds_of_peace;
        all.requests += report.requests;
        all.kills += report.kills;
        all.restarts += report.restarts;
        all.notifications_shown += report.notifications_shown;
        all.notifications_required += report.notifications_required;
        all.shown_again_in_place += report.shown_again_in_place;
        all.files_ready += report.files_ready;
        all.settled += report.settled;
        let violations = report.violations.iter().map(|violation| format!("seed {}: {violation}", report.seed));
        all.violations.extend(violations);
        for (counts, sum) in [(&report.operations, &mut all.operations), (&report.faults, &mut all.faults)] {
            for (name, count) in counts {
                *sum.entry(name.clone()).or_default() += count;
            }
        }
    }
    all
}

fn print(what: &str, report: &Report) {
    let (operations, faults): (u64, u64) = (report.operations.values().sum(), report.faults.values().sum());
    println!(
        "{what}: {} s ({} s of peace), {operations} operations, {} requests, {faults} faults, {} kills, {} restarts, \
         settled {} times, {} notifications ({} required, {} again in place), {} files, violations: {}",
        report.seconds,
        report.seconds_of_peace,
        report.requests,
        report.kills,
        report.restarts,
        report.settled,
        report.notifications_shown,
        report.notifications_required,
        report.shown_again_in_place,
        report.files_ready,
        report.violations.len(),
    );
    for violation in &report.violations {
        println!("  ✗ {violation}");
    }
}

fn write(name: &str, report: &Report) -> Result<()> {
    fs::create_dir_all(folder())?;
    let file = folder().join(format!("{name}.json"));
    Ok(fs::write(file, serde_json::to_vec_pretty(report)?)?)
}

fn folder() -> PathBuf {
    paths::root().join("target/chaos")
}
