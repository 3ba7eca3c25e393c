//! Grids of tiles (ISO/IEC 23008-12, section 6.6.2.3).

use super::hevc::MAX_MARGIN;
use super::reader::BoxReader;
use crate::PictureError;
use crate::size::Size;

/// Reads the number of columns and rows. `size` is the size of the picture.
pub(super) fn read_grid(data: &[u8], size: Size) -> Result<(usize, usize), PictureError> {
    let mut data = BoxReader(data);
    data.u8()?; // version
    let number_bytes = if data.u8()? & 1 == 0 { 2 } else { 4 };
    let (rows, columns) = (usize::from(data.u8()?) + 1, usize::from(data.u8()?) + 1);
    let grid_size = (data.number(number_bytes)?, data.number(number_bytes)?);
    if grid_size != (size.width.into(), size.height.into()) {
        return Err(PictureError::corrupt("a grid of another size than the picture"));
    }
    Ok((columns, rows))
}

/// Checks that the tiles cover the whole picture and that no tile is outside of it.
pub(super) fn check_coverage(size: Size, tile: Size, columns: usize, rows: usize) -> Result<(), PictureError> {
    let covers = |side: u32, tile: u32, count: usize| tile > 0 && side.div_ceil(tile) as usize == count;
    if !covers(size.width, tile.width, columns) || !covers(size.height, tile.height, rows) {
        return Err(PictureError::corrupt("a grid that does not match its tiles"));
    }
    // Some writers store a picture of an odd size as a single tile of an even size.
    let is_larger = |tile: u32, side: u32| tile > side.saturating_add(MAX_MARGIN);
    if is_larger(tile.width, size.width) || is_larger(tile.height, size.height) {
        return Err(PictureError::corrupt("tiles larger than the picture"));
    }
    Ok(())
}
