//! CPU time of decoding, per file: `speed EIGHTHS FILE…`

use std::time::Instant;

use jpeg_planes::{Decoder, Scale};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let eighths = arguments.next().and_then(|text| text.parse().ok()).expect("eighths");
    let scale = Scale::new(eighths).expect("1 to 8");
    for file in arguments {
        let bytes = std::fs::read(&file).expect("a file");
        let mut best = f64::MAX;
        for _ in 0..15 {
            let start = Instant::now();
            let decoder = Decoder::new(&bytes).expect("a baseline JPEG");
            let planes = decoder.decode(scale, scale).expect("a whole JPEG");
            std::hint::black_box(planes);
            best = best.min(start.elapsed().as_secs_f64() * 1e3);
        }
        println!("{best:8.2} ms  {file}");
    }
}
