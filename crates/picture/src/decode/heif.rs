//! Decodes HEIC to planes: pictures coded as HEVC, alone or as the tiles of a grid, in a HEIF
//! container (ISO/IEC 23008-12).
//!
//! This module reads the container; `heifer-hevc-dec` decodes the coded pictures. The work that a
//! file can cause is bounded. No block is decoded twice. Tiles must cover the picture, and on each
//! side at most one of them may extend beyond it. So the decoder processes at most four times as
//! many pixels as the limit allows (eight times with transparency), and reads at most four times the
//! length of the file.

mod canvas;
mod colour_info;
mod container;
mod grid;
mod hevc;
mod reader;
mod transform;

use image::{RgbImage, RgbaImage};

use canvas::{Canvas, Role};
use colour_info::ColourInfo;
use container::{Container, Property};
use grid::{check_coverage, read_grid};
use hevc::CodedPicture;
use reader::BoxReader;
use transform::read_transform;

use crate::colour::ColourSpace;
use crate::decoded::{Decoded, Image};
use crate::pixels;
use crate::resize::Resizer;
use crate::size::Size;
use crate::{Limits, PictureError};

/// The largest number of tiles in a grid. 64 megapixels in tiles of 512 × 512 need 256.
const MAX_TILES: usize = 1024;

/// The properties that this module understands, so that they may be essential.
const KNOWN_PROPERTIES: [&[u8; 4]; 8] = [b"hvcC", b"ispe", b"colr", b"pixi", b"auxC", b"irot", b"imir", b"clap"];

pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, PictureError> {
    let container = Container::read(bytes)?;
    let properties = container.properties(container.primary, &KNOWN_PROPERTIES)?;
    let size = declared_size(&properties)?;
    limits.check(size)?;
    let transform = read_transform(&properties, size)?;
    if container.references_to(b"prem", container.primary).next().is_some() {
        return Err(PictureError::UnsupportedFormat);
    }

    let (canvas, colour) = decode_item(&container, container.primary, &properties, size, Role::Colour)?;
    let colours = match icc_profile(&container, &properties)? {
        Some(icc) => ColourSpace::Icc(icc.to_vec()),
        None => colour.space(),
    };
    let image = match alpha_item(&container)? {
        None => Image::Planes(canvas.crop(transform), colour.matrix),
        Some(alpha) => {
            let properties = container.properties(alpha, &KNOWN_PROPERTIES)?;
            if declared_size(&properties)? != size {
                return Err(PictureError::UnsupportedFormat);
            }
            let (alpha, _) = decode_item(&container, alpha, &properties, size, Role::Alpha)?;
            let alpha = alpha.crop(transform).luma;
            // The size stays the same; the chroma becomes 4:2:0, which `to_rgb` requires.
            let planes = canvas.crop(transform).resize(transform.size, &mut Resizer::new())?;
            Image::Pixels(with_alpha(&planes.to_rgb(colour.matrix), &alpha.plane.samples)?.into())
        }
    };
    Ok(Decoded { size: transform.size, image, orientation: transform.orientation, colours })
}

/// Decodes an item with these properties: a coded picture or a grid of them.
fn decode_item(
    container: &Container<'_>,
    item: u32,
    properties: &[Property<'_>],
    size: Size,
    role: Role,
) -> Result<(Canvas, ColourInfo), PictureError> {
    let nclx = colour_property(properties, &[b"nclx"]);
    if container.item_type(item) == Some(*b"hvc1") {
        let coded = decode_coded(container, item, properties, size)?;
        let colour = ColourInfo::new(nclx, &coded)?;
        let mut canvas = Canvas::new(&coded, size, role);
        canvas.draw(&coded, &colour, (0, 0), role)?;
        return Ok((canvas, colour));
    }
    if container.item_type(item) != Some(*b"grid") {
        return Err(PictureError::UnsupportedFormat);
    }
    let (columns, rows) = read_grid(&container.data(item)?, size)?;
    let tiles = container.references_from(b"dimg", item);
    if tiles.len() != columns * rows || tiles.len() > MAX_TILES {
        return Err(PictureError::corrupt("a grid with a wrong number of tiles"));
    }
    // The canvas, its colours, and the size of the first tile.
    let mut drawn: Option<(Canvas, ColourInfo, Size)> = None;
    for (at, &tile) in tiles.iter().enumerate() {
        if container.item_type(tile) != Some(*b"hvc1") {
            return Err(PictureError::UnsupportedFormat);
        }
        let properties = container.properties(tile, &KNOWN_PROPERTIES)?;
        let tile_size = declared_size(&properties)?;
        if properties.iter().any(|(name, _)| [b"irot", b"imir", b"clap"].contains(&name)) {
            return Err(PictureError::UnsupportedFormat);
        }
        match &drawn {
            Some((.., first)) if *first != tile_size => {
                return Err(PictureError::corrupt("tiles of different sizes"));
            }
            Some(_) => {}
            None => check_coverage(size, tile_size, columns, rows)?,
        }
        let coded = decode_coded(container, tile, &properties, tile_size)?;
        let (canvas, colour, _) = match &mut drawn {
            Some(drawn) => drawn,
            None => {
                let nclx = nclx.or_else(|| colour_property(&properties, &[b"nclx"]));
                let colour = ColourInfo::new(nclx, &coded)?;
                drawn.insert((Canvas::new(&coded, size, role), colour, tile_size))
            }
        };
        let (left, top) = (at % columns * tile_size.width as usize, at / columns * tile_size.height as usize);
        canvas.draw(&coded, colour, (left, top), role)?;
    }
    drawn.map(|(canvas, colour, _)| (canvas, colour)).ok_or_else(|| PictureError::corrupt("a grid without tiles"))
}

fn decode_coded(
    container: &Container<'_>,
    item: u32,
    properties: &[Property<'_>],
    size: Size,
) -> Result<CodedPicture, PictureError> {
    let config = properties.iter().find(|(name, _)| name == b"hvcC");
    let (_, config) = config.ok_or_else(|| PictureError::corrupt("no HEVC configuration"))?;
    hevc::decode(config, &container.data(item)?, size)
}

fn with_alpha(rgb: &RgbImage, alpha: &[u8]) -> Result<RgbaImage, PictureError> {
    let pixels = rgb.pixels().zip(alpha).flat_map(|(p, &alpha)| [p[0], p[1], p[2], alpha]);
    pixels::rgba(Size::new(rgb.width(), rgb.height()), pixels.collect())
}

/// The size that the container declares (`ispe`).
fn declared_size(properties: &[Property<'_>]) -> Result<Size, PictureError> {
    let size = properties.iter().find(|(name, _)| name == b"ispe");
    let &(_, size) = size.ok_or_else(|| PictureError::corrupt("no size"))?;
    let mut size = BoxReader(size);
    size.version_and_flags()?;
    Ok(Size::new(size.u32()?, size.u32()?))
}

/// The content of the first property `colr` of one of these types.
fn colour_property<'a>(properties: &[Property<'a>], types: &[&[u8; 4]]) -> Option<&'a [u8]> {
    let mut colours = properties.iter().filter(|(name, _)| name == b"colr");
    colours.find_map(|(_, content)| types.iter().find_map(|&kind| content.strip_prefix(kind)))
}

/// The embedded profile. For a grid without a profile, the profile of its first tile.
fn icc_profile<'a>(container: &Container<'a>, properties: &[Property<'a>]) -> Result<Option<&'a [u8]>, PictureError> {
    const TYPES: [&[u8; 4]; 2] = [b"prof", b"rICC"];
    let of_tile = || match container.references_from(b"dimg", container.primary) {
        [first, ..] => {
            container.properties(*first, &KNOWN_PROPERTIES).map(|properties| colour_property(&properties, &TYPES))
        }
        [] => Ok(None),
    };
    let profile = colour_property(properties, &TYPES).map_or_else(of_tile, |profile| Ok(Some(profile)))?;
    Ok(profile.filter(|profile| !profile.is_empty()))
}

/// The item that contains the alpha channel of the primary item.
fn alpha_item(container: &Container<'_>) -> Result<Option<u32>, PictureError> {
    const TYPES: [&[u8]; 2] = [b"urn:mpeg:hevc:2015:auxid:1", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"];
    for item in container.references_to(b"auxl", container.primary) {
        // Auxiliary items of other types (depth, HDR gain) may have unknown properties.
        let Ok(properties) = container.properties(item, &KNOWN_PROPERTIES) else { continue };
        let kind = properties.iter().find(|(name, _)| name == b"auxC").and_then(|(_, content)| content.get(4..));
        if kind.and_then(|kind| kind.split(|&byte| byte == 0).next()).is_some_and(|kind| TYPES.contains(&kind)) {
            return Ok(Some(item));
        }
    }
    Ok(None)
}
