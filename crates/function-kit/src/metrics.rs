//! Metrics in CloudWatch's Embedded Metric Format.
//!
//! A metric is a JSON line on standard output, from which CloudWatch extracts the values. The function makes no call.
//! (Amazon CloudWatch User Guide, "Specification: Embedded metric format".)
//!
//! The maintained crate `metrics_cloudwatch_embedded` does not fit: it repeats the last value of a gauge that is no longer
//! measured, loses observations beyond the hundredth, and has one global recorder, which tests cannot share.

use std::{
    collections::BTreeMap,
    env, mem,
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use aws_sdk_sqs::primitives::{DateTime, DateTimeFormat};
use serde_json::{Map, Value, json};

/// The CloudWatch namespace of all metrics.
pub const NAMESPACE: &str = "IYAGI";

/// The level of the lines. Lambda drops lines below the function's log level, and takes lines without level or time for
/// `INFO` (AWS Lambda Developer Guide, "Log-level filtering"). This level is dropped at no setting.
const LEVEL: &str = "FATAL";

/// The most values of one metric in one line.
const MAX_VALUES: usize = 100;

/// The unit of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    /// A number of things.
    Count,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Percent.
    Percent,
}

impl Unit {
    /// CloudWatch's name.
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

/// Collects the metrics of a function until they are written.
///
/// Every metric has the dimension `FunctionName`, and may have a second one. Names are constants, because each distinct
/// name is a metric that costs.
#[derive(Debug, Default)]
pub struct Metrics {
    function: String,
    collected: Mutex<Collected>,
}

/// Metrics by their second dimension. Each combination of dimensions needs its own line.
type Collected = BTreeMap<Option<Dimension>, BTreeMap<&'static str, Measured>>;

/// A name and a value.
type Dimension = (&'static str, &'static str);

#[derive(Debug)]
enum Measured {
    Sum(u64),
    Values(Unit, Vec<f64>),
}

impl Metrics {
    /// Metrics of the function in `AWS_LAMBDA_FUNCTION_NAME`.
    pub fn from_env() -> Self {
        Self::of(env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|_| "unknown".to_owned()))
    }

    /// Metrics of `function`.
    pub fn of(function: impl Into<String>) -> Self {
        Self { function: function.into(), collected: Mutex::default() }
    }

    /// Adds to a sum.
    pub fn count(&self, name: &'static str, number: u64) {
        self.add(None, name, number);
    }

    /// Adds to a sum with a second dimension: `count_kind("Failures", ("Kind", "throttled"), 1)`.
    pub fn count_kind(&self, name: &'static str, kind: Dimension, number: u64) {
        self.add(Some(kind), name, number);
    }

    /// Adds a value to a distribution, of which CloudWatch computes minimum, maximum and percentiles.
    pub fn observe(&self, name: &'static str, unit: Unit, value: f64) {
        let is_full = self.with(|collected| {
            let measured = collected.entry(None).or_default().entry(name).or_insert(Measured::Values(unit, vec![]));
            match measured {
                Measured::Values(_, values) => {
                    values.push(value);
                    values.len() >= MAX_VALUES
                }
                // The name is that of a sum: the first use wins.
                Measured::Sum(_) => false,
            }
        });
        if is_full {
            self.flush();
        }
    }

    /// Writes the collected metrics to standard output and clears them.
    pub fn flush(&self) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let lines = self.take_lines(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        if !lines.is_empty() {
            // The macro, because tests capture its output.
            print!("{lines}");
        }
    }

    /// Takes the collected metrics as lines, one per combination of dimensions; empty without metrics.
    pub fn take_lines(&self, now_ms: u64) -> String {
        let collected = self.with(mem::take);
        let lines = collected.into_iter().map(|(kind, metrics)| self.line(kind, metrics, now_ms));
        lines.fold(String::new(), |lines, line| lines + &line.to_string() + "\n")
    }

    fn add(&self, kind: Option<Dimension>, name: &'static str, number: u64) {
        self.with(|collected| {
            if let Measured::Sum(sum) = collected.entry(kind).or_default().entry(name).or_insert(Measured::Sum(0)) {
                *sum = sum.saturating_add(number);
            }
        });
    }

    fn line(&self, kind: Option<Dimension>, metrics: BTreeMap<&'static str, Measured>, now_ms: u64) -> Value {
        let mut line = Map::from_iter([
            ("level".to_owned(), json!(LEVEL)),
            ("timestamp".to_owned(), json!(rfc_3339(now_ms))),
            ("FunctionName".to_owned(), json!(self.function)),
        ]);
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

    fn with<T>(&self, change: impl FnOnce(&mut Collected) -> T) -> T {
        // A panic leaves sums and lists consistent.
        change(&mut self.collected.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The time in RFC 3339; `None` after the year 9999.
fn rfc_3339(now_ms: u64) -> Option<String> {
    DateTime::from_millis(i64::try_from(now_ms).ok()?).fmt(DateTimeFormat::DateTime).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(metrics: &Metrics) -> Vec<Value> {
        let lines = metrics.take_lines(1_560_011_610_678);
        lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    #[test]
    fn sums_and_values_are_in_one_line_once() {
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
            "level": "FATAL",
            "timestamp": "2019-06-08T16:33:30.678Z",
            "FunctionName": "poller",
            "Records": 5,
            "Age": [1.5, 7.0]
        });
        assert_eq!(lines(&metrics), [expected]);
        assert_eq!(metrics.take_lines(0), "", "cleared");
    }

    /// Lambda drops a line whose level is below the function's, and a line without level or time as `INFO`.
    #[test]
    fn line_is_kept_at_every_log_level() {
        let metrics = Metrics::of("poller");
        metrics.count("Records", 1);
        metrics.count_kind("Failures", ("Kind", "gap"), 1);
        let severity =
            |level: &str| ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"].iter().position(|known| *known == level);
        for line in lines(&metrics) {
            let level = line["level"].as_str().and_then(severity).expect("a level");
            assert!(Some(level) >= severity("ERROR"), "{line}");
            assert!(line["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')), "{line}");
        }
    }

    #[test]
    fn second_dimension_has_its_own_line() {
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
    fn values_beyond_the_limit_of_a_line_are_written_before() {
        let metrics = Metrics::of("poller");
        for value in 0..250 {
            metrics.observe("Age", Unit::Milliseconds, f64::from(value));
        }
        assert_eq!(lines(&metrics)[0]["Age"].as_array().map(Vec::len), Some(50), "200 were written before");
    }
}
