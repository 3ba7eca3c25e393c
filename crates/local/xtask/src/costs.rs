//! `cargo xtask costs`: calculates the costs of a month from the tables of `docs/operations/costs.md`.
//!
//! The page is the only source of prices: this module reads the sums of its tables.

use std::fs;

use anyhow::{Context, Result, bail, ensure};
use stack::paths;

/// The page with the prices, below the root of the repository.
const PAGE: &str = "docs/operations/costs.md";

/// The amounts of a month.
#[derive(Debug, Clone, Copy, PartialEq, clap::Args)]
pub struct Arguments {
    /// Million photographs uploaded.
    #[arg(long, default_value_t = 0.0)]
    photographs: f64,
    /// Million minutes of sound uploaded.
    #[arg(long, default_value_t = 0.0)]
    minutes: f64,
    /// Million changes of the graph.
    #[arg(long, default_value_t = 0.0)]
    changes: f64,
    /// Million notifications.
    #[arg(long, default_value_t = 0.0)]
    pushes: f64,
    /// Million requests for one item.
    #[arg(long, default_value_t = 0.0)]
    items: f64,
    /// Million requests for a page of 50 items.
    #[arg(long, default_value_t = 0.0)]
    pages: f64,
    /// Million searches.
    #[arg(long, default_value_t = 0.0)]
    searches: f64,
}

/// Prints the costs of each item and the total.
pub fn run(arguments: &Arguments) -> Result<()> {
    let page = fs::read_to_string(paths::root().join(PAGE)).with_context(|| format!("cannot read {PAGE}"))?;
    let mut sum = 0.0;
    for (name, cost) in costs(&page, arguments)? {
        println!("{cost:>12.2}  {name}");
        sum += cost;
    }
    println!("{sum:>12.2}  dollars a month, without storage and delivery: {PAGE} has those by the GB");
    Ok(())
}

/// The costs of each item in US dollars.
fn costs(page: &str, arguments: &Arguments) -> Result<Vec<(&'static str, f64)>> {
    let item =
        |name, heading, column, millions: f64| -> Result<_> { Ok((name, millions * sum(page, heading, column)?)) };
    Ok(vec![
        item("an idle month", "An idle month", 0, 1.0)?,
        item("photographs", "A million photographs", 0, arguments.photographs)?,
        item("minutes of sound", "A million minutes of sound", 0, arguments.minutes)?,
        item("changes of the graph", "A million changes of the graph", 0, arguments.changes)?,
        item("notifications", "A million pushes", 0, arguments.pushes)?,
        item("requests for an item", "A million requests", 0, arguments.items)?,
        item("requests for a page", "A million requests", 1, arguments.pages)?,
        item("searches", "A million requests", 2, arguments.searches)?,
    ])
}

/// The sum of a column of the first table below `heading`. `column` counts the right-aligned columns.
///
/// # Errors
/// If the total on the page differs from the sum of the rows.
fn sum(page: &str, heading: &str, column: usize) -> Result<f64> {
    let (_, section) =
        page.split_once(&format!("\n## {heading}\n")).with_context(|| format!("the page has no section {heading}"))?;
    let rows = section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let mut rows = rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>()).skip(1);
    let alignment = rows.next().with_context(|| format!("{heading}: no table"))?;
    let mut dollars = (0..alignment.len()).filter(|at| alignment[*at].ends_with(':'));
    let at = dollars.nth(column).with_context(|| format!("{heading}: no column {column} of costs"))?;
    let mut sum = 0.0;
    for row in rows {
        let cost =
            row.get(at).and_then(|cell| number(cell)).with_context(|| format!("{heading}: no cost in {row:?}"))?;
        if row.first() == Some(&"**total**") {
            ensure!((sum - cost).abs() < 0.03, "{heading}: the sum of the rows is {sum:.2}, but the page has {cost}");
            return Ok(cost);
        }
        sum += cost;
    }
    bail!("{heading}: no total")
}

/// The number at the start of a cell, such as `2.13`, `**2.13**` or `0.24 (~10 ms)`.
fn number(cell: &str) -> Option<f64> {
    cell.trim_matches('*').split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Arguments =
        Arguments { photographs: 0.0, minutes: 0.0, changes: 0.0, pushes: 0.0, items: 0.0, pages: 0.0, searches: 0.0 };

    #[test]
    fn totals_of_the_page_match_the_sums() {
        let page = fs::read_to_string(paths::root().join(PAGE)).expect("the page");
        let all = Arguments {
            photographs: 1.0,
            minutes: 1.0,
            changes: 1.0,
            pushes: 1.0,
            items: 1.0,
            pages: 1.0,
            searches: 1.0,
        };
        let costs = costs(&page, &all).expect("costs");
        assert!(costs.iter().all(|(_, cost)| *cost > 0.0), "{costs:?}");
    }

    #[test]
    fn wrong_total_is_an_error() {
        let page = "\n## A\n\n| item | count | $ |\n|---|---|--:|\n| x | 1.5 | 1.00 |\n| y | | 2.00 |\n| **total** | | **3.00** |\n";
        assert_eq!(sum(page, "A", 0).expect("a sum"), 3.0);
        assert!(sum(&page.replace("| 2.00", "| 2.50"), "A", 0).is_err());
    }

    #[test]
    fn costs_are_proportional_to_the_amount() {
        let page = fs::read_to_string(paths::root().join(PAGE)).expect("the page");
        let of = |photographs| costs(&page, &Arguments { photographs, ..NOTHING }).expect("costs")[1].1;
        assert!((of(3.0) - 3.0 * of(1.0)).abs() < 1e-9);
    }
}
