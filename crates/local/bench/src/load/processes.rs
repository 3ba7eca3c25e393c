//! What each process of a stack takes: of the processors, and of memory. Linux only.

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
use serde_json::{Value, json};

use super::super::programs::Row;

/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(500);
/// Looks that it takes to say whether memory grows.
const ENOUGH: usize = 16;
/// What functions are services by, in their environment.
const FUNCTION_NAME: &str = "AWS_LAMBDA_FUNCTION_NAME=";

/// What stands for all processes there are, also those of others.
const MACHINE: &str = "machine";

/// One look at one process.
#[derive(Debug, Clone)]
struct Sample {
    at: Instant,
    name: String,
    pid: i32,
    /// On a processor so far, in clock ticks.
    ticks: u64,
    rss_kib: u64,
}

/// Looks at all processes of a stack, in a thread of its own.
#[derive(Debug)]
pub struct Sampler {
    ends: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Sample>>,
}

/// What was seen.
#[derive(Debug)]
pub struct Seen(Vec<Sample>);

/// A part of the time.
#[derive(Debug, Clone, Copy)]
pub struct Phase {
    name: &'static str,
    begin: Instant,
    end: Instant,
}

impl Phase {
    /// It begins now.
    pub fn begin(name: &'static str) -> Self {
        let now = Instant::now();
        Self { name, begin: now, end: now }
    }

    /// It ends now.
    pub fn end(self) -> Self {
        Self { end: Instant::now(), ..self }
    }
}

impl Sampler {
    /// Begins to look at these processes, this one, and all functions that one of them starts.
    pub fn start(known: Vec<(String, i32)>) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&ends);
        let thread = thread::spawn(move || {
            let mut samples = Vec::new();
            let mut names: HashMap<i32, String> = known.into_iter().map(|(name, pid)| (pid, name)).collect();
            names.extend(i32::try_from(process::id()).map(|pid| (pid, "driver".to_owned())));
            while !is_over.load(Ordering::Relaxed) {
                look(&mut names, &mut samples);
                thread::sleep(INTERVAL);
            }
            samples
        });
        Self { ends, thread }
    }

    /// Looks no more.
    pub fn stop(self) -> Result<Seen> {
        self.ends.store(true, Ordering::Relaxed);
        self.thread.join().map(Seen).map_err(|_| anyhow!("who looked at the processes panicked"))
    }
}

/// Looks at each process once. One that goes meanwhile is passed over.
fn look(names: &mut HashMap<i32, String>, samples: &mut Vec<Sample>) {
    let at = Instant::now();
    let parents: Vec<i32> = names.keys().copied().collect();
    let busy = fs::read_to_string("/proc/stat").ok().as_deref().and_then(busy);
    samples.extend(busy.map(|ticks| Sample { at, name: MACHINE.to_owned(), pid: 0, ticks, rss_kib: 0 }));
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let Some(stat) = fs::read_to_string(entry.path().join("stat")).ok().as_deref().and_then(Stat::parse) else {
            continue;
        };
        let is_child = parents.contains(&stat.parent);
        let name = match names.entry(pid) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => match is_child.then(|| function(pid)).flatten() {
                Some(name) => unknown.insert(name),
                None => continue,
            },
        };
        let Stat { ticks, rss_pages, .. } = stat;
        let rss_kib = rss_pages * rustix::param::page_size() as u64 / 1_024;
        samples.push(Sample { at, name: name.clone(), pid, ticks, rss_kib });
    }
}

/// The clock ticks that all processors have worked, by `/proc/stat` (proc(5)): all but idle and waiting.
fn busy(text: &str) -> Option<u64> {
    let fields = text.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    let ticks: Vec<u64> = fields.map(str::parse).collect::<Result<_, _>>().ok()?;
    Some(ticks.iter().take(8).sum::<u64>() - ticks.get(3)? - ticks.get(4)?)
}

/// The logical id of the function that this process is, if it is one.
fn function(pid: i32) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let mut variables = environment.split(|byte| *byte == 0).filter_map(|variable| str::from_utf8(variable).ok());
    let name = variables.find_map(|variable| variable.strip_prefix(FUNCTION_NAME))?;
    // `<stack>-<logical id>-<what makes it unique>`.
    Some(name.split('-').nth(1).unwrap_or(name).to_owned())
}

/// What `/proc/<pid>/stat` says (proc(5)).
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: i32,
    ticks: u64,
    rss_pages: u64,
}

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        // The name, in parentheses, may hold anything.
        let fields: Vec<_> = text.rsplit_once(") ")?.1.split(' ').collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        Some(Self { parent: fields.get(1)?.parse().ok()?, ticks: number(11)? + number(12)?, rss_pages: number(21)? })
    }
}

impl Seen {
    /// Which part of a processor each took meanwhile, in per cent of one, and which took most.
    pub fn shares(&self, phase: &Phase) -> Result<Row> {
        let mut ticks: BTreeMap<(&str, i32), (u64, u64)> = BTreeMap::new();
        for sample in self.0.iter().filter(|sample| (phase.begin..=phase.end).contains(&sample.at)) {
            let known = ticks.entry((sample.name.as_str(), sample.pid)).or_insert((sample.ticks, sample.ticks));
            known.1 = sample.ticks;
        }
        let seconds = phase.end.duration_since(phase.begin).as_secs_f64();
        let a_second = rustix::param::clock_ticks_per_second() as f64;
        let mut shares: BTreeMap<&str, f64> = BTreeMap::new();
        for ((name, _), (first, last)) in ticks {
            *shares.entry(name).or_default() += (last - first) as f64 / a_second / seconds * 100.0;
        }
        let machine = shares.remove(MACHINE);
        let all: f64 = shares.values().sum();
        let most = shares.iter().max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(name, _)| *name);
        let mut row = json!({"row": format!("processor meanwhile, in % of one: {}", phase.name), "all": all, "whole_machine": machine});
        for (name, share) in shares.iter().filter(|(_, share)| **share >= 0.5) {
            row[*name] = json!(share);
        }
        row["most"] = json!(most);
        object(row)
    }

    /// What the processes of each name held of memory, early and at their end, each at most: flat, or not.
    pub fn memory(&self) -> Result<Vec<Row>> {
        let mut processes: BTreeMap<(&str, i32), Vec<u64>> = BTreeMap::new();
        for sample in self.0.iter().filter(|sample| sample.name != MACHINE) {
            processes.entry((sample.name.as_str(), sample.pid)).or_default().push(sample.rss_kib);
        }
        let mut held: BTreeMap<&str, Vec<Held>> = BTreeMap::new();
        for ((name, _), seen) in processes.into_iter().filter(|(_, seen)| seen.len() >= ENOUGH) {
            held.entry(name).or_default().push(Held::of(&seen));
        }
        let rows = held.into_iter().map(|(name, held)| {
            let most = |of: fn(&Held) -> u64| held.iter().map(of).max();
            let growth = held.iter().map(Held::growth_percent).fold(f64::MIN, f64::max);
            object(json!({
                "row": format!("memory of {name}"), "processes": held.len(), "early_kib": most(|held| held.early),
                "late_kib": most(|held| held.late), "most_kib": most(|held| held.most), "growth_percent": growth,
            }))
        });
        rows.collect()
    }
}

/// What one process held, in KiB.
struct Held {
    /// In the second quarter of its time, when all has been loaded: the median.
    early: u64,
    /// In the last quarter: the median.
    late: u64,
    most: u64,
}

impl Held {
    fn of(seen: &[u64]) -> Self {
        let (early, late) = (median(&seen[seen.len() / 4..seen.len() / 2]), median(&seen[seen.len() * 3 / 4..]));
        Self { early, late, most: seen.iter().copied().max().unwrap_or_default() }
    }

    fn growth_percent(&self) -> f64 {
        (self.late as f64 / self.early as f64 - 1.0) * 100.0
    }
}

fn median(of: &[u64]) -> u64 {
    let mut sorted = of.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

fn object(row: Value) -> Result<Row> {
    match row {
        Value::Object(row) => Ok(row),
        _ => Err(anyhow!("a row is an object")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_it_is_called() {
        let text =
            "12 (a) b (c) S 7 12 12 0 -1 4194560 1 0 0 0 30 12 0 0 20 0 3 0 99 1000000 250 18446744073709551615 1";
        assert_eq!(Stat::parse(text), Some(Stat { parent: 7, ticks: 42, rss_pages: 250 }));
        assert_eq!(Stat::parse("12 (x) S"), None);
        assert!(Stat::parse(&fs::read_to_string("/proc/self/stat").expect("this process")).is_some());
        assert_eq!(busy("cpu  10 20 30 400 50 6 7 8 9 9\ncpu0 1 2"), Some(81));
        assert!(busy(&fs::read_to_string("/proc/stat").expect("this machine")).is_some());
    }

    #[test]
    fn shares_and_growth_are_told_by_process() {
        let begin = Instant::now();
        let a_second = rustix::param::clock_ticks_per_second();
        let sample = |second: u64, name: &str, pid, ticks, rss_kib| Sample {
            at: begin + Duration::from_secs(second),
            name: name.to_owned(),
            pid,
            ticks,
            rss_kib,
        };
        let mut samples = Vec::new();
        for second in 0..=20 {
            // One processor, and half of one in two processes.
            samples.push(sample(second, "emulator", 1, second * a_second, 1_000));
            samples.push(sample(second, "MediaApi", 2, second * a_second / 4, 1_000 + second * 100));
            samples.push(sample(second, "MediaApi", 3, second * a_second / 4, 500));
        }
        let seen = Seen(samples);
        let phase = Phase { name: "reads", begin, end: begin + Duration::from_secs(20) };
        let row = seen.shares(&phase).expect("a row");
        assert_eq!((&row["emulator"], &row["most"]), (&json!(100.0), &json!("emulator")));
        assert!(row["MediaApi"].as_f64().is_some_and(|share| (49.0..=50.0).contains(&share)), "{row:?}");
        let memory = seen.memory().expect("rows");
        let growth: Vec<_> = memory.iter().map(|row| (row["row"].clone(), row["growth_percent"].as_f64())).collect();
        let growth: Vec<_> =
            growth.into_iter().map(|(row, growth)| (row, growth.map(|growth| growth as i64))).collect();
        assert_eq!(growth, [(json!("memory of MediaApi"), Some(64)), (json!("memory of emulator"), Some(0))]);
        assert_eq!((&memory[0]["processes"], &memory[0]["most_kib"]), (&json!(2), &json!(3_000)));
    }
}
