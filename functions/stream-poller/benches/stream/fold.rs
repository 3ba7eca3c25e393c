//! Measures parsing, assembling and folding on one core.

use std::{error::Error, hint::black_box};

use neptune_streams::{Page, TransactionAssembler};
use serde_json::json;
use stream_poller::{changes, settings::Settings};

use crate::{size::ROUNDS, support};

pub fn measure(endpoint: &str) -> Result<(), Box<dyn Error>> {
    let (mut bodies, mut records) = (Vec::new(), 0);
    let mut query = "iteratorType=TRIM_HORIZON".to_owned();
    // A fifth of the stream is enough and leaves memory for the emulator.
    while bodies.len() < 4 {
        let body = support::get(endpoint, &format!("{query}&limit=100000"))?;
        let page = Page::parse(&body)?;
        let last = page.last_position().ok_or("a page without records")?;
        query = format!("iteratorType=AFTER_SEQUENCE_NUMBER&commitNum={}&opNum={}", last.commit_num, last.op_num);
        records += page.records.len() as u64;
        bodies.push(body);
    }
    let bytes: usize = bodies.iter().map(Vec::len).sum();
    let mut best = f64::MAX;
    for _ in 0..ROUNDS * 3 {
        let begin = support::processor_time()?;
        let mut assembler = TransactionAssembler::new(Settings::default().bounds);
        let mut found = 0;
        for body in &bodies {
            assembler.push(Page::parse(black_box(body))?);
            while let Some(part) = assembler.next_part() {
                found += black_box(changes(part.records)).len() as u64;
            }
        }
        best = best.min((support::processor_time()? - begin).as_secs_f64());
        // Two records per change, and the author.
        if found < records / 2 - 8 {
            return Err("records are missing".into());
        }
    }
    let line = json!({
        "row": "parse + transactions + fold, one core",
        "records": records,
        "bytes_per_record": bytes as u64 / records,
        "records_per_second": (records as f64 / best) as u64,
        "target": 1_000_000,
    });
    println!("{line}");
    Ok(())
}
