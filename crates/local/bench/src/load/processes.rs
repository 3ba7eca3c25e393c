//! CPU and memory of each process of a stack. Linux only.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    fs, process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use serde_json::json;

use crate::programs::{Row, object};

/// Time between two samples.
const INTERVAL: Duration = Duration::from_millis(500);
/// Samples needed to compute the memory growth of a process.
const MIN_SAMPLES: usize = 16;
/// Environment variable that identifies a function's process.
const FUNCTION_NAME: &str = "AWS_LAMBDA_FUNCTION_NAME=";

/// The name of the sample for all processes of the machine.
const MACHINE: &str = "machine";

/// A measurement of a process.
#[derive(Debug, Clone)]
struct Sample {
    at: Instant,
    name: String,
    pid: i32,
    /// CPU time in clock ticks.
    ticks: u64,
    rss_kib: u64,
}

/// Samples all processes of a stack in its own thread.
#[derive(Debug)]
pub struct Sampler {
    is_stopped: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Sample>>,
}

/// Measurements of all processes.
#[derive(Debug)]
pub struct Samples(Vec<Sample>);

/// A named time interval.
#[derive(Debug, Clone, Copy)]
pub struct Phase {
    name: &'static str,
    begin: Instant,
    end: Instant,
}

impl Phase {
    /// Starts a phase.
    pub fn begin(name: &'static str) -> Self {
        let now = Instant::now();
        Self { name, begin: now, end: now }
    }

    /// Ends the phase.
    pub fn end(self) -> Self {
        Self { end: Instant::now(), ..self }
    }
}

impl Sampler {
    /// Samples `processes`, this process, and the functions that are children of sampled processes.
    pub fn start(processes: Vec<(String, i32)>) -> Self {
        let is_stopped = Arc::new(AtomicBool::new(false));
        let is_stopped_in_thread = Arc::clone(&is_stopped);
        let thread = thread::spawn(move || {
            let mut samples = Vec::new();
            let mut names: HashMap<i32, String> = processes.into_iter().map(|(name, pid)| (pid, name)).collect();
            names.extend(i32::try_from(process::id()).map(|pid| (pid, "driver".to_owned())));
            while !is_stopped_in_thread.load(Ordering::Relaxed) {
                sample(&mut names, &mut samples);
                thread::sleep(INTERVAL);
            }
            samples
        });
        Self { is_stopped, thread }
    }

    /// Stops sampling.
    pub fn stop(self) -> Result<Samples> {
        self.is_stopped.store(true, Ordering::Relaxed);
        self.thread.join().map(Samples).map_err(|_| anyhow!("the sampling thread panicked"))
    }
}

/// Takes a sample of each process. Processes that exit meanwhile are skipped.
fn sample(names: &mut HashMap<i32, String>, samples: &mut Vec<Sample>) {
    let at = Instant::now();
    let parents: Vec<i32> = names.keys().copied().collect();
    let busy = fs::read_to_string("/proc/stat").ok().as_deref().and_then(busy_ticks);
    samples.extend(busy.map(|ticks| Sample { at, name: MACHINE.to_owned(), pid: 0, ticks, rss_kib: 0 }));
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let Some(stat) = fs::read_to_string(entry.path().join("stat")).ok().as_deref().and_then(Stat::parse) else {
            continue;
        };
        let is_child = parents.contains(&stat.parent);
        let name = match names.entry(pid) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => match is_child.then(|| function_name(pid)).flatten() {
                Some(name) => unknown.insert(name),
                None => continue,
            },
        };
        let Stat { ticks, rss_pages, .. } = stat;
        let rss_kib = rss_pages * rustix::param::page_size() as u64 / 1_024;
        samples.push(Sample { at, name: name.clone(), pid, ticks, rss_kib });
    }
}

/// Busy clock ticks of all processors in the text of `/proc/stat`: all fields except idle and iowait (proc(5)).
fn busy_ticks(text: &str) -> Option<u64> {
    let fields = text.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    let ticks: Vec<u64> = fields.map(str::parse).collect::<Result<_, _>>().ok()?;
    Some(ticks.iter().take(8).sum::<u64>() - ticks.get(3)? - ticks.get(4)?)
}

/// The logical id of the function that runs in a process.
fn function_name(pid: i32) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let mut variables = environment.split(|byte| *byte == 0).filter_map(|variable| str::from_utf8(variable).ok());
    let name = variables.find_map(|variable| variable.strip_prefix(FUNCTION_NAME))?;
    // The format is `<stack>-<logical id>-<unique suffix>`.
    Some(name.split('-').nth(1).unwrap_or(name).to_owned())
}

/// Fields of `/proc/<pid>/stat` (proc(5)).
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: i32,
    ticks: u64,
    rss_pages: u64,
}

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        // The name in parentheses may contain any character.
        let fields: Vec<_> = text.rsplit_once(") ")?.1.split(' ').collect();
        let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
        Some(Self { parent: fields.get(1)?.parse().ok()?, ticks: number(11)? + number(12)?, rss_pages: number(21)? })
    }
}

impl Samples {
    /// CPU usage by process name during `phase`, in percent of one processor, and the name with the highest.
    pub fn cpu_usage(&self, phase: &Phase) -> Result<Row> {
        let mut ticks: BTreeMap<(&str, i32), (u64, u64)> = BTreeMap::new();
        for sample in self.0.iter().filter(|sample| (phase.begin..=phase.end).contains(&sample.at)) {
            let (_, last) = ticks.entry((sample.name.as_str(), sample.pid)).or_insert((sample.ticks, sample.ticks));
            *last = sample.ticks;
        }
        let seconds = phase.end.duration_since(phase.begin).as_secs_f64();
        let ticks_per_second = rustix::param::clock_ticks_per_second() as f64;
        let mut usage: BTreeMap<&str, f64> = BTreeMap::new();
        for ((name, _), (first, last)) in ticks {
            *usage.entry(name).or_default() += (last - first) as f64 / ticks_per_second / seconds * 100.0;
        }
        let machine = usage.remove(MACHINE);
        let total: f64 = usage.values().sum();
        let highest = usage.iter().max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(name, _)| *name);
        let name = format!("CPU in % of one processor during {}", phase.name);
        let mut row = json!({"row": name, "total": total, "whole_machine": machine});
        for (name, percent) in usage.iter().filter(|(_, percent)| **percent >= 0.5) {
            row[*name] = json!(percent);
        }
        row["highest"] = json!(highest);
        object(row)
    }

    /// Memory by process name: the highest of its processes, early and late in their lifetimes, and the growth.
    pub fn memory(&self) -> Result<Vec<Row>> {
        let mut processes: BTreeMap<(&str, i32), Vec<u64>> = BTreeMap::new();
        for sample in self.0.iter().filter(|sample| sample.name != MACHINE) {
            processes.entry((sample.name.as_str(), sample.pid)).or_default().push(sample.rss_kib);
        }
        let mut usage: BTreeMap<&str, Vec<MemoryUsage>> = BTreeMap::new();
        for ((name, _), sizes) in processes.into_iter().filter(|(_, sizes)| sizes.len() >= MIN_SAMPLES) {
            usage.entry(name).or_default().push(MemoryUsage::new(&sizes));
        }
        let rows = usage.into_iter().map(|(name, processes)| {
            let highest = |field: fn(&MemoryUsage) -> u64| processes.iter().map(field).max();
            let growth = processes.iter().map(MemoryUsage::growth_percent).fold(f64::MIN, f64::max);
            object(json!({
                "row": format!("memory of {name}"), "processes": processes.len(), "early_kib": highest(|usage| usage.early),
                "late_kib": highest(|usage| usage.late), "peak_kib": highest(|usage| usage.peak), "growth_percent": growth,
            }))
        });
        rows.collect()
    }
}

/// Resident memory of a process in KiB.
struct MemoryUsage {
    /// Median of the second quarter of the lifetime, after the start-up.
    early: u64,
    /// Median of the last quarter.
    late: u64,
    peak: u64,
}

impl MemoryUsage {
    fn new(sizes: &[u64]) -> Self {
        let early = median(&sizes[sizes.len() / 4..sizes.len() / 2]);
        let late = median(&sizes[sizes.len() * 3 / 4..]);
        Self { early, late, peak: sizes.iter().copied().max().unwrap_or_default() }
    }

    fn growth_percent(&self) -> f64 {
        (self.late as f64 / self.early as f64 - 1.0) * 100.0
    }
}

fn median(values: &[u64]) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_with_parentheses_in_its_name_is_parsed() {
        let text =
            "12 (a) b (c) S 7 12 12 0 -1 4194560 1 0 0 0 30 12 0 0 20 0 3 0 99 1000000 250 18446744073709551615 1";
        assert_eq!(Stat::parse(text), Some(Stat { parent: 7, ticks: 42, rss_pages: 250 }));
        assert_eq!(Stat::parse("12 (x) S"), None);
        assert!(Stat::parse(&fs::read_to_string("/proc/self/stat").expect("this process")).is_some());
        assert_eq!(busy_ticks("cpu  10 20 30 400 50 6 7 8 9 9\ncpu0 1 2"), Some(81));
        assert!(busy_ticks(&fs::read_to_string("/proc/stat").expect("this machine")).is_some());
    }

    #[test]
    fn cpu_usage_and_memory_growth_are_summed_by_process_name() {
        let begin = Instant::now();
        let ticks_per_second = rustix::param::clock_ticks_per_second();
        let sample = |second: u64, name: &str, pid, ticks, rss_kib| Sample {
            at: begin + Duration::from_secs(second),
            name: name.to_owned(),
            pid,
            ticks,
            rss_kib,
        };
        let mut samples = Vec::new();
        for second in 0..=20 {
            // The emulator uses one processor; two processes of MediaApi use half of one.
            samples.push(sample(second, "emulator", 1, second * ticks_per_second, 1_000));
            samples.push(sample(second, "MediaApi", 2, second * ticks_per_second / 4, 1_000 + second * 100));
            samples.push(sample(second, "MediaApi", 3, second * ticks_per_second / 4, 500));
        }
        let samples = Samples(samples);
        let phase = Phase { name: "reads", begin, end: begin + Duration::from_secs(20) };
        let row = samples.cpu_usage(&phase).expect("a result");
        assert_eq!((&row["emulator"], &row["highest"]), (&json!(100.0), &json!("emulator")));
        assert!(row["MediaApi"].as_f64().is_some_and(|percent| (49.0..=50.0).contains(&percent)), "{row:?}");
        let memory = samples.memory().expect("results");
        let growth: Vec<_> = memory.iter().map(|row| (row["row"].clone(), row["growth_percent"].as_f64())).collect();
        let growth: Vec<_> =
            growth.into_iter().map(|(row, growth)| (row, growth.map(|growth| growth as i64))).collect();
        assert_eq!(growth, [(json!("memory of MediaApi"), Some(64)), (json!("memory of emulator"), Some(0))]);
        assert_eq!((&memory[0]["processes"], &memory[0]["peak_kib"]), (&json!(2), &json!(3_000)));
    }
}
