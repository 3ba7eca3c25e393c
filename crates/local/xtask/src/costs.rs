//! `cargo xtask costs`: what a month costs, by the arithmetic of `docs/operations/costs.md`.
//!
//! The page is the only place where prices stand: this reads the sums of its tables.

use std::fs;

use anyhow::{Context, Result, bail, ensure};
use stack::paths;

/// The page with the prices, below the root of the repository.
const PAGE: &str = "docs/operations/costs.md";

/// How much there is of everything in a month.
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

/// Prints what each costs, and all together.
pub fn run(arguments: &Arguments) -> Result<()> {
    let page = fs::read_to_string(paths::root().join(PAGE)).with_context(|| format!("cannot read {PAGE}"))?;
    let mut sum = 0.0;
    for (what, cost) in costs(&page, arguments)? {
        println!("{cost:>12.2}  {what}");
        sum += cost;
    }
    println!("{sum:>12.2}  dollars a month, without storage and delivery: {PAGE} has those by the GB");
    Ok(())
}

/// What each costs, in dollars.
fn costs(page: &str, arguments: &Arguments) -> Result<Vec<(&'static str, f64)>> {
    let each =
        |what, heading, column, millions: f64| -> Result<_> { Ok((what, millions * sum(page, heading, column)?)) };
    Ok(vec![
        each("an idle month", "An idle month", 0, 1.0)?,
        each("photographs", "A million photographs", 0, arguments.photographs)?,
        each("minutes of sound", "A million minutes of sound", 0, arguments.minutes)?,
        each("changes of the graph", "A million changes of the graph", 0, arguments.changes)?,
        each("notifications", "A million pushes", 0, arguments.pushes)?,
        each("requests for an item", "A million requests", 0, arguments.items)?,
        each("requests for a page", "A million requests", 1, arguments.pages)?,
        each("searches", "A million requests", 2, arguments.searches)?,
    ])
}

/// The sum of a column of the first table below `heading`, counted among those whose cells are aligned to the right; the
/// page's own row of sums must agree.
fn sum(page: &str, heading: &str, column: usize) -> Result<f64> {
    let (_, section) =
        page.split_once(&format!("\n## {heading}\n")).with_context(|| format!("no section {heading}"))?;
    let rows = section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let mut rows = rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>()).skip(1);
    let alignment = rows.next().with_context(|| format!("{heading}: no table"))?;
    let mut dollars = (0..alignment.len()).filter(|at| alignment[*at].ends_with(':'));
    let at = dollars.nth(column).with_context(|| format!("{heading}: no column {column} of dollars"))?;
    let mut sum = 0.0;
    for row in rows {
        let cost =
            row.get(at).and_then(|cell| number(cell)).with_context(|| format!("{heading}: no cost in {row:?}"))?;
        if row.first() == Some(&"**total**") {
            ensure!((sum - cost).abs() < 0.03, "{heading}: the rows come to {sum:.2}, and the page says {cost}");
            return Ok(cost);
        }
        sum += cost;
    }
    bail!("{heading}: no sum")
}

/// The amount that a cell begins with, such as `2.13`, `**2.13**` or `0.24 (~10 ms)`.
fn number(cell: &str) -> Option<f64> {
    cell.trim_matches('*').split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Arguments =
        Arguments { photographs: 0.0, minutes: 0.0, changes: 0.0, pushes: 0.0, items: 0.0, pages: 0.0, searches: 0.0 };

    #[test]
    fn the_page_adds_up() {
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
    fn what_does_not_add_up_is_noticed() {
        let page = "\n## A\n\n| what | how | $ |\n|---|---|--:|\n| x | 1.5 | 1.00 |\n| y | | 2.00 |\n| **total** | | **3.00** |\n";
        assert_eq!(sum(page, "A", 0).expect("a sum"), 3.0);
        assert!(sum(&page.replace("| 2.00", "| 2.50"), "A", 0).is_err());
    }

    #[test]
    fn millions_multiply() {
        let page = fs::read_to_string(paths::root().join(PAGE)).expect("the page");
        let of = |photographs| costs(&page, &Arguments { photographs, ..NOTHING }).expect("costs")[1].1;
        assert!((of(3.0) - 3.0 * of(1.0)).abs() < 1e-9);
    }
}
