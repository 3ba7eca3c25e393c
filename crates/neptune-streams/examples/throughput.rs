//! Measures how fast one core assembles transactions from pages: `cargo run --release --example throughput`.
//!
//! The generated stream resembles a small social network (people, stories, likes). It has ten records per
//! transaction and the layout that Neptune documents.

use std::{
    env,
    error::Error,
    fmt::Write,
    hint::black_box,
    time::{Duration, Instant},
};

use neptune_streams::{Bounds, Page, TransactionAssembler};

/// Records per page: about 2 MB.
const RECORDS: u64 = 10_000;
const PAGES: u64 = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let rounds = env::args().nth(1).map_or(Ok(10), |rounds| rounds.parse::<u32>())?;
    let bodies: Vec<String> = (0..PAGES).map(page).collect();
    let bytes: usize = bodies.iter().map(String::len).sum();
    let records = PAGES * RECORDS;
    println!(
        "{records} records of {} bytes on average, {PAGES} pages, best of {rounds} rounds",
        bytes as u64 / records
    );

    let (mut best_parse, mut best_both) = (Duration::MAX, Duration::MAX);
    for _ in 0..rounds {
        let start = Instant::now();
        for body in &bodies {
            black_box(Page::parse(black_box(body.as_bytes()))?);
        }
        best_parse = best_parse.min(start.elapsed());

        let mut assembler = TransactionAssembler::new(Bounds::default());
        let mut found = 0;
        let start = Instant::now();
        for body in &bodies {
            assembler.push(Page::parse(black_box(body.as_bytes()))?);
            while let Some(part) = assembler.next_part() {
                found += black_box(part).records.len() as u64;
            }
        }
        best_both = best_both.min(start.elapsed());
        if found + assembler.held_records() as u64 != records {
            return Err("records are missing".into());
        }
    }
    for (name, time) in [("parse", best_parse), ("parse + transactions", best_both)] {
        let (rate, speed) = (records as f64 / time.as_secs_f64(), bytes as f64 / time.as_secs_f64());
        println!("{name}: {:.2} million records/s, {:.0} MB/s", rate / 1e6, speed / 1e6);
    }
    Ok(())
}

fn page(number: u64) -> String {
    let mut records = String::new();
    for index in 0..RECORDS {
        let at = number * RECORDS + index;
        // Ten records per transaction.
        let (commit, op) = (at / 10 + 1, at % 10 + 1);
        let data = match op % 5 {
            0 => format!(
                r#"{{"id":"e{at}","type":"e","key":"label","value":{{"value":"likes","dataType":"String"}},"from":"v{}","to":"v{}"}}"#,
                at / 2,
                at / 3
            ),
            1 => format!(
                r#"{{"id":"{:08x}-0d0f-218b-f68b-2aa7b0b1904a","type":"vl","key":"label","value":{{"value":"story","dataType":"String"}}}}"#,
                at
            ),
            2 => format!(
                r#"{{"id":"{:08x}-0d0f-218b-f68b-2aa7b0b1904a","type":"vp","key":"plays","value":{{"value":{at},"dataType":"Long"}}}}"#,
                at
            ),
            3 => format!(
                r#"{{"id":"{:08x}-0d0f-218b-f68b-2aa7b0b1904a","type":"vp","key":"published","value":{{"value":1560011610678,"dataType":"Date"}}}}"#,
                at
            ),
            _ => format!(
                r#"{{"id":"{:08x}-0d0f-218b-f68b-2aa7b0b1904a","type":"vp","key":"title","value":{{"value":"A walk by the sea, \"Busan\"","dataType":"String"}}}}"#,
                at
            ),
        };
        let last = if op == 10 { r#","isLastOp":true"# } else { "" };
        let comma = if index == 0 { "" } else { "," };
        // Writing to a String does not fail.
        let _ = write!(
            records,
            r#"{comma}{{"commitTimestamp":1560011610678,"eventId":{{"commitNum":{commit},"opNum":{op}}},"data":{data},"op":"ADD"{last}}}"#
        );
    }
    let last = (number + 1) * RECORDS / 10;
    format!(
        r#"{{"lastEventId":{{"commitNum":{last},"opNum":10}},"lastTrxTimestamp":1560011610678,"format":"PG_JSON","records":[{records}],"totalRecords":{RECORDS}}}"#
    )
}
