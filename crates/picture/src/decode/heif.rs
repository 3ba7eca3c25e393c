//! HEIC: pictures that are coded as HEVC, alone or as the tiles of a grid, in a HEIF container
//! (ISO/IEC 23008-12), straight to planes.
//!
//! The container is read here, with bounds; `heifer-hevc-dec` decodes the pictures in it. What a
//! file may cost: no block is decoded twice, tiles cover the picture and no more than that with
//! one of them on each side, so at most four times the pixels that the limit allows are decoded
//! (twice that with transparency), and at most four times the file's bytes are read.

mod container;
mod hevc;
mod meaning;
mod reader;
mod transform;

use container::{Container, Property};
use hevc::Coded;
use jpeg_planes::Plane;
use meaning::{Levels, Meaning};
use reader::Reader;
use transform::{Transform, transform};

use super::{Decoded, Image};
use crate::planes::{Channel, Planes};
use crate::raster::{Layout, Raster};
use crate::resize::{Resizer, Size};
use crate::{Limits, PictureError};

/// Tiles of a grid. 64 megapixels in tiles of 512 × 512 are 256.
const MAX_TILES: usize = 1024;

/// Properties that may be essential to a picture.
const KNOWN: [&[u8; 4]; 8] = [b"hvcC", b"ispe", b"colr", b"pixi", b"auxC", b"irot", b"imir", b"clap"];

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, PictureError> {
    let container = Container::read(bytes)?;
    let properties = container.properties(container.primary, &KNOWN)?;
    let size = claimed(&properties)?;
    limits.check(size)?;
    let transform = transform(&properties, size)?;
    if container.referring(b"prem", container.primary).next().is_some() {
        return Err(PictureError::UnsupportedFormat);
    }

    let (canvas, meaning) = draw(&container, container.primary, &properties, size, Use::Colour)?;
    let (subsampling, planes) = (canvas.subsampling, canvas.planes);
    let icc_profile = match profile(&container, &properties)? {
        Some(icc) => Some(icc.to_vec()),
        None => meaning.profile()?,
    };
    let image = match alpha_of(&container)? {
        None => Image::Planes(cropped(planes, subsampling, transform), meaning.matrix),
        Some(alpha) => {
            let properties = container.properties(alpha, &KNOWN)?;
            if claimed(&properties)? != size {
                return Err(PictureError::UnsupportedFormat);
            }
            let (alpha, _) = draw(&container, alpha, &properties, size, Use::Alpha)?;
            let alpha = cropped(alpha.planes, (1, 1), transform).luma;
            // Of the same size, with the halved chroma that pixels are made of.
            let planes = cropped(planes, subsampling, transform).resize(transform.size, &mut Resizer::new())?;
            Image::Raster(with_alpha(planes.to_rgb(meaning.matrix), &alpha.plane.samples))
        }
    };
    Ok(Decoded { size: transform.size, image, orientation: transform.orientation, icc_profile })
}

/// What an item is drawn for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Colour,
    /// Its luma is what counts, and has the full range.
    Alpha,
}

/// Planes that a picture is drawn on, at the depth and range of JPEG.
struct Canvas {
    /// How many samples of luma one of chroma stands for, across and down.
    subsampling: (usize, usize),
    /// One if there is no colour, otherwise three.
    planes: Vec<Plane>,
}

/// Decodes an item, a coded picture or a grid of them, that `properties` belong to.
fn draw(
    container: &Container<'_>,
    item: u32,
    properties: &[Property<'_>],
    size: Size,
    used: Use,
) -> Result<(Canvas, Meaning), PictureError> {
    let nclx = colour(properties, &[b"nclx"]);
    if container.kind(item) == Some(*b"hvc1") {
        let coded = coded(container, item, properties, size)?;
        let meaning = Meaning::of(nclx, &coded)?;
        let mut canvas = Canvas::new(&coded, size, used);
        canvas.lay(&coded, &meaning, (0, 0), used)?;
        return Ok((canvas, meaning));
    }
    if container.kind(item) != Some(*b"grid") {
        return Err(PictureError::UnsupportedFormat);
    }
    let (columns, rows) = grid(&container.data(item)?, size)?;
    let tiles = container.referenced(b"dimg", item);
    if tiles.len() != columns * rows || tiles.len() > MAX_TILES {
        return Err(PictureError::corrupt("a grid with other tiles than it says"));
    }
    let mut drawn: Option<(Canvas, Meaning, Size)> = None;
    for (at, &tile) in tiles.iter().enumerate() {
        if container.kind(tile) != Some(*b"hvc1") {
            return Err(PictureError::UnsupportedFormat);
        }
        let properties = container.properties(tile, &KNOWN)?;
        let tile_size = claimed(&properties)?;
        if properties.iter().any(|(name, _)| [b"irot", b"imir", b"clap"].contains(&name)) {
            return Err(PictureError::UnsupportedFormat);
        }
        match &drawn {
            Some((.., first)) if *first != tile_size => return Err(PictureError::corrupt("tiles of two sizes")),
            Some(_) => {}
            None => check_cover(size, tile_size, columns, rows)?,
        }
        let coded = coded(container, tile, &properties, tile_size)?;
        let (canvas, meaning, _) = match &mut drawn {
            Some(drawn) => drawn,
            None => {
                let meaning = Meaning::of(nclx.or_else(|| colour(&properties, &[b"nclx"])), &coded)?;
                drawn.insert((Canvas::new(&coded, size, used), meaning, tile_size))
            }
        };
        let (left, top) = (at % columns * tile_size.width as usize, at / columns * tile_size.height as usize);
        canvas.lay(&coded, meaning, (left, top), used)?;
    }
    drawn.map(|(canvas, meaning, _)| (canvas, meaning)).ok_or_else(|| PictureError::corrupt("no tiles"))
}

/// A grid's columns and rows (ISO/IEC 23008-12, section 6.6.2.3).
fn grid(data: &[u8], size: Size) -> Result<(usize, usize), PictureError> {
    let mut data = Reader(data);
    data.u8()?; // its version
    let number_bytes = if data.u8()? & 1 == 0 { 2 } else { 4 };
    let (rows, columns) = (usize::from(data.u8()?) + 1, usize::from(data.u8()?) + 1);
    let claimed = (data.number(number_bytes)?, data.number(number_bytes)?);
    if claimed != (size.width.into(), size.height.into()) {
        return Err(PictureError::corrupt("a grid of two sizes"));
    }
    Ok((columns, rows))
}

/// All of the picture is covered, and there is no tile outside of it.
fn check_cover(size: Size, tile: Size, columns: usize, rows: usize) -> Result<(), PictureError> {
    let covers = |side: u32, tile: u32, count: usize| tile > 0 && side.div_ceil(tile) as usize == count;
    if !covers(size.width, tile.width, columns) || !covers(size.height, tile.height, rows) {
        return Err(PictureError::corrupt("a grid that its tiles do not fill"));
    }
    // Pictures of an odd size are written as a single tile of an even one.
    let is_larger = |tile: u32, side: u32| tile > side.saturating_add(hevc::MAX_MARGIN);
    if is_larger(tile.width, size.width) || is_larger(tile.height, size.height) {
        return Err(PictureError::corrupt("tiles larger than the picture"));
    }
    Ok(())
}

fn coded(container: &Container<'_>, item: u32, properties: &[Property<'_>], size: Size) -> Result<Coded, PictureError> {
    let config = properties.iter().find(|(name, _)| name == b"hvcC");
    let (_, config) = config.ok_or_else(|| PictureError::corrupt("no parameters"))?;
    hevc::decode(config, &container.data(item)?, size)
}

impl Canvas {
    /// For a picture of `size` of which this is coded, or a tile.
    fn new(coded: &Coded, size: Size, used: Use) -> Self {
        let format = if used == Use::Alpha { 0 } else { coded.frame.chroma_format };
        let subsampling = match format {
            1 => (2, 2),
            2 => (2, 1),
            _ => (1, 1),
        };
        let plane = |(across, down): (usize, usize)| {
            let (width, height) = ((size.width as usize).div_ceil(across), (size.height as usize).div_ceil(down));
            Plane { width, height, samples: vec![0; width * height] }
        };
        let mut planes = vec![plane((1, 1))];
        if format != 0 {
            planes.extend([plane(subsampling), plane(subsampling)]);
        }
        Self { subsampling, planes }
    }

    /// Lays what is coded at `left`, `top`, and cuts off what hangs over.
    fn lay(
        &mut self,
        coded: &Coded,
        meaning: &Meaning,
        (left, top): (usize, usize),
        used: Use,
    ) -> Result<(), PictureError> {
        let frame = &coded.frame;
        let (across, down) = self.subsampling;
        let colours = if frame.chroma_format == 0 { 1 } else { 3 };
        let expected = match (across, down) {
            (2, 2) => 1,
            (2, 1) => 2,
            _ if self.planes.len() == 3 => 3,
            _ => frame.chroma_format,
        };
        if self.planes.len() > colours || frame.chroma_format != expected {
            return Err(PictureError::corrupt("tiles of two kinds"));
        }
        if left % across != 0 || top % down != 0 {
            return Err(PictureError::corrupt("tiles that begin within a sample"));
        }
        let levels = Levels::new(frame, meaning.full_range || used == Use::Alpha);
        for (number, plane) in self.planes.iter_mut().enumerate() {
            let (left, top) = if number == 0 { (left, top) } else { (left / across, top / down) };
            let table = levels.table(number);
            let rows = frame.planes[number].chunks_exact(frame.widths[number].max(1) as usize);
            for (from, to) in rows.zip(plane.samples.chunks_exact_mut(plane.width).skip(top)) {
                let to = to.get_mut(left..).unwrap_or_default();
                for (to, &from) in to.iter_mut().zip(from) {
                    // Samples never exceed their depth; a table's end would be white all the same.
                    *to = table.get(usize::from(from)).copied().unwrap_or(u8::MAX);
                }
            }
        }
        Ok(())
    }
}

/// The part of the planes that is to be shown.
fn cropped(planes: Vec<Plane>, (across, down): (usize, usize), transform: Transform) -> Planes {
    let size = transform.size;
    let channel = |plane: Plane, (across, down): (usize, usize)| {
        // To the sample that the first pixel is in.
        let (left, top) = (transform.left as usize / across, transform.top as usize / down);
        let (width, height) = ((size.width as usize).div_ceil(across), (size.height as usize).div_ceil(down));
        let covered = (f64::from(size.width) / across as f64, f64::from(size.height) / down as f64);
        if (left, top, width, height) == (0, 0, plane.width, plane.height) {
            return Channel { plane, covered };
        }
        let rows = plane.samples.chunks_exact(plane.width).skip(top).take(height);
        let samples = rows.flat_map(|row| &row[left..left + width]).copied().collect();
        Channel { plane: Plane { width, height, samples }, covered }
    };
    let mut planes = planes.into_iter();
    let mut next = |subsampling| planes.next().map_or_else(Channel::neutral, |plane| channel(plane, subsampling));
    Planes { size, luma: next((1, 1)), chroma: [next((across, down)), next((across, down))] }
}

fn with_alpha(raster: Raster, alpha: &[u8]) -> Raster {
    let pixels = raster.pixels.chunks_exact(3).zip(alpha).flat_map(|(p, &alpha)| [p[0], p[1], p[2], alpha]);
    Raster { size: raster.size, layout: Layout::Rgba, pixels: pixels.collect() }
}

/// The size as the container has it (`ispe`).
fn claimed(properties: &[Property<'_>]) -> Result<Size, PictureError> {
    let size = properties.iter().find(|(name, _)| name == b"ispe");
    let &(_, size) = size.ok_or_else(|| PictureError::corrupt("no size"))?;
    let mut size = Reader(size);
    size.full()?;
    Ok(Size::new(size.u32()?, size.u32()?))
}

/// The content of the first property `colr` of one of these types.
fn colour<'a>(properties: &[Property<'a>], types: &[&[u8; 4]]) -> Option<&'a [u8]> {
    let mut colours = properties.iter().filter(|(name, _)| name == b"colr");
    colours.find_map(|(_, content)| types.iter().find_map(|&kind| content.strip_prefix(kind)))
}

/// The embedded profile; of a grid without one, that of its first tile.
fn profile<'a>(container: &Container<'a>, properties: &[Property<'a>]) -> Result<Option<&'a [u8]>, PictureError> {
    const TYPES: [&[u8; 4]; 2] = [b"prof", b"rICC"];
    let of_tile = || match container.referenced(b"dimg", container.primary) {
        [first, ..] => container.properties(*first, &KNOWN).map(|properties| colour(&properties, &TYPES)),
        [] => Ok(None),
    };
    let profile = colour(properties, &TYPES).map_or_else(of_tile, |profile| Ok(Some(profile)))?;
    Ok(profile.filter(|profile| !profile.is_empty()))
}

/// The item that holds the transparency of the primary one.
fn alpha_of(container: &Container<'_>) -> Result<Option<u32>, PictureError> {
    const TYPES: [&[u8]; 2] = [b"urn:mpeg:hevc:2015:auxid:1", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"];
    for item in container.referring(b"auxl", container.primary) {
        // Of other kinds (depth, brightness for HDR) nothing needs to be known.
        let Ok(properties) = container.properties(item, &KNOWN) else { continue };
        let kind = properties.iter().find(|(name, _)| name == b"auxC").and_then(|(_, content)| content.get(4..));
        if kind.and_then(|kind| kind.split(|&byte| byte == 0).next()).is_some_and(|kind| TYPES.contains(&kind)) {
            return Ok(Some(item));
        }
    }
    Ok(None)
}
