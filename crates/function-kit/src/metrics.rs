//! Metrics in the log: CloudWatch's Embedded Metric Format.
//!
//! A line of JSON on standard output that says which of its numbers are metrics; CloudWatch takes
//! them out of the log, and the function makes no call. Log lines may stand between.
//! (Amazon CloudWatch User Guide, "Specification: Embedded metric format".)
//!
//! Written here and not taken from a crate: the one that is kept up, `metrics_cloudwatch_embedded`,
//! goes on writing the last value of a gauge that nobody measures any more, loses observations
//! beyond the hundredth, and is one per process, which two tests cannot share.

use std::{
    collections::BTreeMap,
    env, mem,
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Map, Value, json};

/// Where the metrics of all functions stand in CloudWatch.
pub const NAMESPACE: &str = "IYAGI";

/// The most values that one metric may have in one line.
const MAX_VALUES: usize = 100;

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    /// Things.
    Count,
    /// Time, in milliseconds.
    Milliseconds,
    /// Time, in seconds.
    Seconds,
    /// Size.
    Bytes,
    /// A part of a hundred.
    Percent,
}

impl Unit {
    /// As CloudWatch calls it.
    fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
            Self::Seconds => "Seconds",
            Self::Bytes => "Bytes",
            Self::Percent => "Percent",
        }
    }
}

/// What a function measures until it is written.
///
/// Every metric has the dimension `FunctionName`; a kind is a second one. Names are fixed texts:
/// nothing from outside becomes a metric of its own.
#[derive(Debug, Default)]
pub struct Metrics {
    function: String,
    gathered: Mutex<Gathered>,
}

/// Metrics by their second dimension: each combination of dimensions takes a line of its own.
type Gathered = BTreeMap<Option<Dimension>, BTreeMap<&'static str, Measured>>;

/// A name and a value.
type Dimension = (&'static str, &'static str);

#[derive(Debug)]
enum Measured {
    Sum(u64),
    Values(Unit, Vec<f64>),
}

impl Metrics {
    /// Metrics of the function that Lambda calls `AWS_LAMBDA_FUNCTION_NAME`.
    pub fn from_env() -> Self {
        Self::of(env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|_| "unknown".to_owned()))
    }

    /// Metrics of `function`.
    pub fn of(function: impl Into<String>) -> Self {
        Self { function: function.into(), gathered: Mutex::default() }
    }

    /// Adds to a sum.
    pub fn count(&self, name: &'static str, number: u64) {
        self.add(None, name, number);
    }

    /// Adds to a sum of one kind: `count_kind("Failures", ("Kind", "throttled"), 1)`.
    pub fn count_kind(&self, name: &'static str, kind: Dimension, number: u64) {
        self.add(Some(kind), name, number);
    }

    /// Adds a value of its own: CloudWatch then knows the least, the greatest, and percentiles.
    pub fn observe(&self, name: &'static str, unit: Unit, value: f64) {
        let is_full = self.with(|gathered| {
            let measured = gathered.entry(None).or_default().entry(name).or_insert(Measured::Values(unit, vec![]));
            match measured {
                Measured::Values(_, values) => {
                    values.push(value);
                    values.len() >= MAX_VALUES
                }
                // Two things have one name: the first one stays.
                Measured::Sum(_) => false,
            }
        });
        if is_full {
            self.flush();
        }
    }

    /// Writes what was gathered to standard output, and begins anew.
    pub fn flush(&self) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let lines = self.take_lines(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        if !lines.is_empty() {
            // By the macro, so that tests capture it.
            print!("{lines}");
        }
    }

    /// What was gathered, a line for each combination of dimensions; empty if there is nothing.
    pub fn take_lines(&self, now_ms: u64) -> String {
        let gathered = self.with(mem::take);
        let lines = gathered.into_iter().map(|(kind, metrics)| self.line(kind, metrics, now_ms));
        lines.fold(String::new(), |lines, line| lines + &line.to_string() + "\n")
    }

    fn add(&self, kind: Option<Dimension>, name: &'static str, number: u64) {
        self.with(|gathered| {
            if let Measured::Sum(sum) = gathered.entry(kind).or_default().entry(name).or_insert(Measured::Sum(0)) {
                *sum = sum.saturating_add(number);
            }
        });
    }

    fn line(&self, kind: Option<Dimension>, metrics: BTreeMap<&'static str, Measured>, now_ms: u64) -> Value {
        let mut line = Map::from_iter([("FunctionName".to_owned(), json!(self.function))]);
        let mut dimensions = vec!["FunctionName"];
        if let Some((name, value)) = kind {
            dimensions.push(name);
            line.insert(name.to_owned(), json!(value));
        }
        let mut definitions = Vec::new();
        for (name, measured) in metrics {
            let (unit, value) = match measured {
                Measured::Sum(sum) => (Unit::Count, json!(sum)),
                Measured::Values(unit, values) => (unit, json!(values)),
            };
            definitions.push(json!({"Name": name, "Unit": unit.as_str()}));
            line.insert(name.to_owned(), value);
        }
        let directive = json!({"Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": definitions});
        line.insert("_aws".to_owned(), json!({"Timestamp": now_ms, "CloudWatchMetrics": [directive]}));
        Value::Object(line)
    }

    fn with<T>(&self, change: impl FnOnce(&mut Gathered) -> T) -> T {
        // Sums and lists are whole after every step.
        change(&mut self.gathered.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(metrics: &Metrics) -> Vec<Value> {
        let lines = metrics.take_lines(1_560_011_610_678);
        lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    #[test]
    fn sums_and_values_stand_in_one_line() {
        let metrics = Metrics::of("poller");
        metrics.count("Records", 2);
        metrics.count("Records", 3);
        metrics.observe("Age", Unit::Milliseconds, 1.5);
        metrics.observe("Age", Unit::Milliseconds, 7.0);
        let expected = json!({
            "_aws": {"Timestamp": 1_560_011_610_678_u64, "CloudWatchMetrics": [{
                "Namespace": "IYAGI",
                "Dimensions": [["FunctionName"]],
                "Metrics": [{"Name": "Age", "Unit": "Milliseconds"}, {"Name": "Records", "Unit": "Count"}]
            }]},
            "FunctionName": "poller",
            "Records": 5,
            "Age": [1.5, 7.0]
        });
        assert_eq!(lines(&metrics), [expected]);
        assert_eq!(metrics.take_lines(0), "", "written once");
    }

    #[test]
    fn a_kind_is_a_dimension_and_has_a_line_of_its_own() {
        let metrics = Metrics::of("poller");
        metrics.count("Records", 1);
        metrics.count_kind("Failures", ("Kind", "gap"), 1);
        metrics.count_kind("Failures", ("Kind", "throttled"), 2);
        let lines = lines(&metrics);
        let dimensions = |line: &Value| line["_aws"]["CloudWatchMetrics"][0]["Dimensions"].clone();
        assert_eq!(lines.len(), 3);
        assert_eq!(dimensions(&lines[0]), json!([["FunctionName"]]));
        assert_eq!(dimensions(&lines[1]), json!([["FunctionName", "Kind"]]));
        assert_eq!((&lines[1]["Kind"], &lines[1]["Failures"]), (&json!("gap"), &json!(1)));
        assert_eq!((&lines[2]["Kind"], &lines[2]["Failures"]), (&json!("throttled"), &json!(2)));
    }

    #[test]
    fn no_metric_ever_has_more_values_than_a_line_takes() {
        let metrics = Metrics::of("poller");
        for value in 0..250 {
            metrics.observe("Age", Unit::Milliseconds, f64::from(value));
        }
        assert_eq!(lines(&metrics)[0]["Age"].as_array().map(Vec::len), Some(50), "the others are written");
    }
}
