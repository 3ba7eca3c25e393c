//! How long decoding and encoding take, at the least: `speed EIGHTHS FILE…`

use std::{hint::black_box, time::Instant};

use jpeg_planes::{Decoder, Scale, encode};

fn least<T>(mut work: impl FnMut() -> T) -> f64 {
    let mut least = f64::MAX;
    for _ in 0..20 {
        let start = Instant::now();
        black_box(work());
        least = least.min(start.elapsed().as_secs_f64() * 1e3);
    }
    least
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let eighths = arguments.next().and_then(|text| text.parse().ok()).expect("eighths");
    let scale = Scale::new(eighths).expect("1 to 8");
    for file in arguments {
        let bytes = std::fs::read(&file).expect("a file");
        let decode = || Decoder::new(&bytes)?.decode(scale, scale);
        let decoding = least(decode);
        print!("decode {decoding:7.2} ms");
        if let [luma, blue, red] = decode().expect("a whole baseline JPEG").planes.as_slice()
            && encode(luma, [blue, red], 80).is_ok()
        {
            print!(", encode {:6.2} ms", least(|| encode(luma, [blue, red], 80)));
        }
        println!("  {file}");
    }
}
