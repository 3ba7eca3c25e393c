//! Measures the shortest of 20 decoding and encoding times: `speed EIGHTHS FILE…`

use std::{hint::black_box, time::Instant};

use jpeg_planes::{Decoder, Scale, encode};

/// The shortest time in milliseconds.
fn shortest<T>(mut work: impl FnMut() -> T) -> f64 {
    let mut shortest = f64::MAX;
    for _ in 0..20 {
        let start = Instant::now();
        black_box(work());
        shortest = shortest.min(start.elapsed().as_secs_f64() * 1e3);
    }
    shortest
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let eighths = arguments.next().and_then(|text| text.parse().ok()).expect("the first argument is a number");
    let scale = Scale::new(eighths).expect("the scale is 1 to 8");
    for file in arguments {
        let bytes = std::fs::read(&file).expect("the file is readable");
        let decode = || Decoder::new(&bytes)?.decode(scale, scale);
        let decoding = shortest(decode);
        print!("decode {decoding:7.2} ms");
        if let [luma, blue, red] = decode().expect("a JPEG that this crate supports").planes.as_slice()
            && encode(luma, [blue, red], 80).is_ok()
        {
            print!(", encode {:6.2} ms", shortest(|| encode(luma, [blue, red], 80)));
        }
        println!("  {file}");
    }
}
