//! Encodes planes as a baseline 4:2:0 file, with Huffman codes optimised for the picture.

mod fdct;
mod huffman;
mod quantisation;
mod token;
mod writer;

use thiserror::Error;

use crate::Plane;
use fdct::Blocks;
use huffman::Histogram;
use token::Token;
use writer::Writer;

/// The sizes of the planes do not form a 4:2:0 picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the sizes of the planes do not form a 4:2:0 picture")]
pub struct Mismatch;

/// Encodes a baseline JPEG from luma and two chroma planes, each half as wide and high as the
/// luma, rounded up.
///
/// `quality` is on libjpeg's scale of 1 to 100. The only metadata in the file is a JFIF header.
///
/// # Errors
/// If the sizes of the planes do not match, or a side is 0 or longer than 65,535 samples.
pub fn encode(luma: &Plane, chroma: [&Plane; 2], quality: u8) -> Result<Vec<u8>, Mismatch> {
    let side = |side: usize| u16::try_from(side).ok().filter(|&side| side > 0).ok_or(Mismatch);
    let (width, height) = (side(luma.width)?, side(luma.height)?);
    let is_complete = |plane: &Plane| plane.samples.len() == plane.width * plane.height;
    let is_half = |plane: &Plane| (plane.width, plane.height) == (luma.width.div_ceil(2), luma.height.div_ceil(2));
    if !is_complete(luma) || !chroma.iter().all(|plane| is_complete(plane) && is_half(plane)) {
        return Err(Mismatch);
    }

    let tables = [quantisation::luma(quality), quantisation::chroma(quality)];
    let tokens = tokens(luma, chroma, &tables);
    let mut histograms = [const { Histogram::new() }; 4];
    for token in &tokens {
        histograms[token.table()].count(token.symbol());
    }
    let codes = histograms.map(|histogram| histogram.code());

    let mut writer = Writer::new();
    writer.headers((width, height), &tables, &codes);
    writer.tokens(&tokens, &codes);
    Ok(writer.finish())
}

/// Offsets of the codes for DC and AC; luma's codes have the indices 0 and 1, chroma's 2 and 3.
const DC: usize = 0;
const AC: usize = 1;
/// Symbols of an AC code (T.81, F.1.2.2.1).
const SIXTEEN_ZEROS: u8 = 0xf0;
const END_OF_BLOCK: u8 = 0;

fn tokens(luma: &Plane, chroma: [&Plane; 2], tables: &[[u8; 64]; 2]) -> Vec<Token> {
    let (across, down) = (luma.width.div_ceil(16), luma.height.div_ceil(16));
    let mut tokens = Vec::with_capacity(across * down * 32);
    let factors = tables.each_ref().map(fdct::factors);
    let mut blocks = [Blocks::new(luma), Blocks::new(luma), Blocks::new(chroma[0]), Blocks::new(chroma[1])];
    let mut previous_dc = [0; 3];
    for mcu_row in 0..down {
        let [upper, lower, blue, red] = &mut blocks;
        upper.transform(2 * mcu_row, 2 * across, &factors[0]);
        lower.transform(2 * mcu_row + 1, 2 * across, &factors[0]);
        blue.transform(mcu_row, across, &factors[1]);
        red.transform(mcu_row, across, &factors[1]);
        for mcu in 0..across {
            for row in [&*upper, lower] {
                for block in &row.coefficients[2 * mcu..2 * mcu + 2] {
                    push(&mut tokens, 0, &mut previous_dc[0], block);
                }
            }
            push(&mut tokens, 2, &mut previous_dc[1], &blue.coefficients[mcu]);
            push(&mut tokens, 2, &mut previous_dc[2], &red.coefficients[mcu]);
        }
    }
    tokens
}

/// Appends the tokens of a block. `tables` is the index of the first code of its component.
#[inline]
fn push(tokens: &mut Vec<Token>, tables: usize, previous_dc: &mut i16, block: &[i16; 64]) {
    tokens.push(Token::number(tables + DC, 0, block[0] - *previous_dc));
    *previous_dc = block[0];
    let mut rest = 0_u64;
    for (at, &coefficient) in block.iter().enumerate() {
        rest |= u64::from(coefficient != 0) << at;
    }
    rest &= !1;
    let mut next = 1;
    while rest != 0 {
        let at = rest.trailing_zeros();
        rest &= rest - 1;
        let mut zeros = at - next;
        while zeros > 15 {
            tokens.push(Token::new(tables + AC, SIXTEEN_ZEROS, 0));
            zeros -= 16;
        }
        tokens.push(Token::number(tables + AC, zeros as u8, block[at as usize & 63]));
        next = at + 1;
    }
    if next < 64 {
        tokens.push(Token::new(tables + AC, END_OF_BLOCK, 0));
    }
}
