//! Decodes progressive pictures: several scans, each of which adds coefficients or bits of them (T.81, G).
//!
//! The coefficients of the whole picture are kept until the last scan, but of each block only those
//! that the scale needs. For the others one bit says whether they are zero, which refinement scans
//! depend on.

mod component;
mod scan;

use component::Component;
use scan::read_scan;

use crate::header::Frame;
use crate::idct::Multipliers;
use crate::markers::{MarkerReader, Scan};
use crate::planes::Planes;
use crate::rows::Rows;
use crate::{Error, Scale};

/// Encoders write about 10 scans, hand-made scripts some dozens. A scan is a pass over all blocks,
/// although it may be only a few bytes long.
const MAX_SCANS: usize = 100;

pub(crate) fn decode(
    bytes: &[u8],
    frame: &Frame,
    mut markers: MarkerReader<'_>,
    first: Scan,
    scales: [Scale; 3],
) -> Result<Planes, Error> {
    let mut components: Vec<_> = (0..frame.components.len()).map(|at| Component::new(frame, at, scales[at])).collect();
    let mut next = Some(first);
    let mut scans = 0;
    while let Some(scan) = next {
        scans += 1;
        if scans > MAX_SCANS {
            return Err(Error::Corrupt("too many scans"));
        }
        for &(at, ..) in &scan.components {
            if components[at].multipliers.is_none() {
                let quant_table = markers.quant_table(&frame.components[at])?;
                components[at].multipliers = Some(Multipliers::new(scales[at], &quant_table));
            }
        }
        markers.at = read_scan(bytes, frame, &markers, &scan, &mut components)?;
        if scan.low_bit == 0 {
            for &(at, ..) in &scan.components {
                components[at].finished |= scan.coefficients();
            }
        }
        // No scan can add anything to a finished picture. Without an end marker, an unfinished one is truncated.
        if components.iter().all(|component| component.finished == u64::MAX) {
            break;
        }
        next = markers.next_scan()?;
        markers.segments.clear();
    }
    // A component without any scan would be rendered as flat grey.
    if !components.iter().all(|component| component.has_dc) {
        return Err(Error::Truncated);
    }

    let (mcus, mcu_rows) = frame.mcus();
    let mut planes = Planes::empty(frame, scales);
    let mut strip: Vec<_> = components.iter().map(|c| Rows::new(c.scale, (c.across, c.down), mcus)).collect();
    for mcu_row in 0..mcu_rows {
        for (component, rows) in components.iter().zip(&mut strip) {
            component.transform(mcu_row, rows);
        }
        planes.push(&strip);
    }
    Ok(planes)
}
