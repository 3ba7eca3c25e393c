//! Decodes one HEVC picture.
//!
//! The checks here bound the work of `heifer-hevc-dec`, which allocates by the size in the stream,
//! accepts slices that decode the same blocks again, and reads tables before it checks the size.

use heifer_hevc_dec::Error;
use heifer_hevc_dec::nal::{NalUnit, NalUnitType};
use heifer_hevc_dec::params::{ParameterSets, Sps};
use heifer_hevc_dec::recon::{Frame, Reconstructor};
use heifer_hevc_dec::slice::SliceHeader;
use heifer_hevc_dec::syntax::{self, Picture};

use super::reader::BoxReader;
use crate::PictureError;
use crate::size::Size;

/// The largest difference between coded and shown size, in samples: pictures are coded in whole blocks.
pub(super) const MAX_MARGIN: u32 = 128;
/// The longest side in samples, twice that of HEVC's highest level. It bounds the margin to 8 million samples.
const MAX_SIDE: u32 = 1 << 15;
/// The largest total length of the parameter sets in bytes; 100 is usual. They are parsed again for each tile.
const MAX_PARAMETER_BYTES: usize = 1 << 14;

/// A decoded picture, and the primaries and transfer function in its stream, if any (ITU-T H.273).
pub(super) struct CodedPicture {
    pub frame: Frame,
    pub primaries: Option<(u16, u16)>,
}

/// Decodes the picture in `data`. `config` is the content of the box `hvcC` (ISO/IEC 14496-15,
/// section 8.3.3.1); `size` is the size that the container declares.
///
/// Blocks are predicted from samples before the loop filters, so that these can be left out.
/// At half size and poor quality, that changes SSIM by up to 0.0015.
pub(super) fn decode(
    config: &[u8],
    data: &[u8],
    size: Size,
    without_loop_filters: bool,
) -> Result<CodedPicture, PictureError> {
    let (sets, length_bytes) = parameter_sets(config, size)?;
    let mut data = BoxReader(data);
    let mut state: Option<(Picture<'_>, Reconstructor<'_>, u8)> = None;
    let mut previous = None;
    while !data.0.is_empty() {
        let length = data.number(length_bytes)? as usize;
        let unit = NalUnit::parse(data.take(length)?).map_err(from_decoder)?;
        // Items of type `hvc1` have their parameter sets in `config`. Others are ignored.
        if !unit.header.unit_type.is_slice() || unit.header.layer_id != 0 {
            continue;
        }
        let header = SliceHeader::parse(&unit.rbsp, &unit.header, &sets, previous.as_ref()).map_err(from_decoder)?;
        let (pps, sps) = sets.get(header.slice_pic_parameter_set_id.into()).map_err(from_decoder)?;
        let (picture, reconstructor, set) = state.get_or_insert_with(|| {
            (Picture::new(sps, pps), Reconstructor::new(sps, pps), header.slice_pic_parameter_set_id)
        });
        // Each slice must start where the previous one ended, so that no block is decoded twice.
        let next = picture.layout.rs_to_ts.get(header.slice_segment_address as usize);
        if *set != header.slice_pic_parameter_set_id || next != Some(&picture.decoded_ctbs) {
            return Err(PictureError::corrupt("slices out of order"));
        }
        reconstructor.start_slice(&header);
        let quantiser = header.slice_qp_y(&sets).map_err(from_decoder)?;
        let bits = unit.rbsp.get(header.header_size..).unwrap_or_default();
        syntax::decode_slice_segment(picture, &header, quantiser, bits, reconstructor).map_err(from_decoder)?;
        if let Some(error) = reconstructor.error.take() {
            return Err(from_decoder(error));
        }
        if !header.dependent_slice_segment_flag {
            previous = Some(header);
        }
        if picture.is_complete() {
            break;
        }
    }
    let (picture, reconstructor, _) = state.ok_or_else(|| PictureError::corrupt("no slice"))?;
    if !picture.is_complete() {
        return Err(PictureError::corrupt("missing slices"));
    }
    let vui = picture.sps.vui.as_ref();
    let primaries = vui.map(|vui| (vui.colour_primaries.into(), vui.transfer_characteristics.into()));
    let sps = picture.sps;
    let frame = reconstructor.finish(without_loop_filters);
    let frame = if sps.conf_win_offsets == [0; 4] { frame } else { frame.cropped(sps) };
    if frame.widths[0] < size.width || frame.heights[0] < size.height {
        return Err(PictureError::corrupt("pixels smaller than the picture"));
    }
    Ok(CodedPicture { frame, primaries })
}

/// Parses the parameter sets. Also returns the number of bytes of a unit's length field.
fn parameter_sets(config: &[u8], size: Size) -> Result<(ParameterSets, usize), PictureError> {
    if config.len() > MAX_PARAMETER_BYTES {
        return Err(PictureError::corrupt("too large parameter sets"));
    }
    let mut config = BoxReader(config);
    config.take(21)?; // profile and level, which the parameter sets repeat
    let length_bytes = usize::from(config.u8()? & 3) + 1;
    let mut sets = ParameterSets::default();
    for _ in 0..config.u8()? {
        config.u8()?; // unit type
        for _ in 0..config.u16()? {
            let length = config.u16()?;
            let unit = NalUnit::parse(config.take(length.into())?).map_err(from_decoder)?;
            match unit.header.unit_type {
                NalUnitType::Sps => check(&Sps::parse(&unit.rbsp).map_err(from_decoder)?, size)?,
                NalUnitType::Pps => {}
                // Video parameter sets are irrelevant for a picture.
                _ => continue,
            }
            sets.add(&unit).map_err(from_decoder)?;
        }
    }
    Ok((sets, length_bytes))
}

/// Checks the size and format in the stream before memory is allocated for them.
fn check(sps: &Sps, size: Size) -> Result<(), PictureError> {
    let (width, height) = (sps.pic_width_in_luma_samples, sps.pic_height_in_luma_samples);
    if width > size.width.saturating_add(MAX_MARGIN) || height > size.height.saturating_add(MAX_MARGIN) {
        return Err(PictureError::corrupt("pixels larger than the picture"));
    }
    if width.max(height) > MAX_SIDE {
        return Err(PictureError::UnsupportedFormat);
    }
    if sps.separate_colour_plane_flag || sps.bit_depth_luma > 12 || sps.bit_depth_chroma > 12 {
        return Err(PictureError::UnsupportedFormat);
    }
    Ok(())
}

fn from_decoder(error: Error) -> PictureError {
    match error {
        Error::Unimplemented(_) => PictureError::UnsupportedFormat,
        error => PictureError::corrupt(error),
    }
}
