use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::programs::Row;

/// The result of a phase: the number of operations, their `rate`, percentiles of their durations, and `more` fields.
pub fn result(name: &str, rate: (&str, f64), mut durations: Vec<Duration>, more: Value) -> Result<Row> {
    durations.sort_unstable();
    let percentile = |fraction: f64| {
        let index = ((durations.len() as f64 * fraction) as usize).min(durations.len().saturating_sub(1));
        durations.get(index).map(|duration| duration.as_secs_f64() * 1_000.0)
    };
    let mut row = json!({
        "row": name, "count": durations.len(), (rate.0): rate.1,
        "p50_ms": percentile(0.5), "p95_ms": percentile(0.95), "p99_ms": percentile(0.99),
    });
    let fields = row.as_object_mut().context("the result is not an object")?;
    fields.extend(more.as_object().cloned().unwrap_or_default());
    Ok(fields.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_has_percentiles_of_the_durations() {
        let durations = (1..=100).rev().map(Duration::from_millis).collect();
        let row = result("reads", ("per_second", 2.5), durations, json!({"clients": 3})).expect("a result");
        assert_eq!((&row["p50_ms"], &row["p95_ms"], &row["p99_ms"]), (&json!(51.0), &json!(96.0), &json!(100.0)));
        assert_eq!((&row["count"], &row["per_second"], &row["clients"]), (&json!(100), &json!(2.5), &json!(3)));
    }
}
