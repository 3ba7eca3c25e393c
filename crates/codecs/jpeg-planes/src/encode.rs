//! From planes to a baseline file: 4:2:0, with Huffman tables made for the picture.

mod fdct;
mod huffman;
mod quantisation;
mod writer;

use thiserror::Error;

use crate::Plane;
use fdct::Blocks;
use huffman::Histogram;
use writer::Writer;

/// Planes that do not make a 4:2:0 picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the planes do not make a 4:2:0 picture")]
pub struct Mismatch;

/// A baseline JPEG of the luma and the two planes of chroma, each of which is half as wide and
/// high, rounded up.
///
/// `quality` is on libjpeg's scale of 1 to 100. The file holds a JFIF header and nothing else but
/// what it takes to decode it.
///
/// # Errors
/// Where the planes' sizes do not fit together, or no JPEG can be so large, or so small.
pub fn encode(luma: &Plane, chroma: [&Plane; 2], quality: u8) -> Result<Vec<u8>, Mismatch> {
    let side = |side: usize| u16::try_from(side).ok().filter(|&side| side > 0).ok_or(Mismatch);
    let (width, height) = (side(luma.width)?, side(luma.height)?);
    let is_whole = |plane: &Plane| plane.samples.len() == plane.width * plane.height;
    let is_half = |plane: &Plane| (plane.width, plane.height) == (luma.width.div_ceil(2), luma.height.div_ceil(2));
    if !is_whole(luma) || !chroma.iter().all(|plane| is_whole(plane) && is_half(plane)) {
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

/// What is to be written: a symbol of one of four codes, and the bits that follow it.
#[derive(Debug, Clone, Copy)]
struct Token(u32);

/// Places of the codes: of luma's means and other coefficients, then of chroma's.
const MEANS: usize = 0;
const OTHERS: usize = 1;
/// So many zeros (T.81, F.1.2.2.1).
const SIXTEEN_ZEROS: u8 = 0xf0;
const END: u8 = 0;

impl Token {
    /// The bits are as many as the lower half of the symbol says.
    #[inline]
    fn new(table: usize, symbol: u8, bits: u16) -> Self {
        Self((table as u32) << 24 | u32::from(symbol) << 16 | u32::from(bits))
    }

    /// A number after `zeros` others.
    #[inline]
    fn number(table: usize, zeros: u8, number: i16) -> Self {
        let size = 16 - number.unsigned_abs().leading_zeros();
        // Negative numbers are stored less one, in their lowest bits.
        let bits = number.wrapping_add(number >> 15) as u16 & ((1_u32 << size) - 1) as u16;
        Self::new(table, zeros << 4 | size as u8, bits)
    }

    #[inline]
    fn table(self) -> usize {
        (self.0 >> 24 & 3) as usize
    }

    #[inline]
    fn symbol(self) -> u8 {
        (self.0 >> 16) as u8
    }

    #[inline]
    fn bits(self) -> u32 {
        self.0 & 0xffff
    }
}

fn tokens(luma: &Plane, chroma: [&Plane; 2], tables: &[[u8; 64]; 2]) -> Vec<Token> {
    let (across, down) = (luma.width.div_ceil(16), luma.height.div_ceil(16));
    let mut tokens = Vec::with_capacity(across * down * 32);
    let dividers = tables.each_ref().map(fdct::dividers);
    let mut blocks = [Blocks::new(luma), Blocks::new(luma), Blocks::new(chroma[0]), Blocks::new(chroma[1])];
    let mut means = [0; 3];
    for mcu_row in 0..down {
        let [upper, lower, blue, red] = &mut blocks;
        upper.transform(2 * mcu_row, 2 * across, &dividers[0]);
        lower.transform(2 * mcu_row + 1, 2 * across, &dividers[0]);
        blue.transform(mcu_row, across, &dividers[1]);
        red.transform(mcu_row, across, &dividers[1]);
        for mcu in 0..across {
            for row in [&*upper, lower] {
                for block in &row.coefficients[2 * mcu..2 * mcu + 2] {
                    push(&mut tokens, 0, &mut means[0], block);
                }
            }
            push(&mut tokens, 2, &mut means[1], &blue.coefficients[mcu]);
            push(&mut tokens, 2, &mut means[2], &red.coefficients[mcu]);
        }
    }
    tokens
}

#[inline]
fn push(tokens: &mut Vec<Token>, tables: usize, mean: &mut i16, block: &[i16; 64]) {
    tokens.push(Token::number(tables + MEANS, 0, block[0] - *mean));
    *mean = block[0];
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
            tokens.push(Token::new(tables + OTHERS, SIXTEEN_ZEROS, 0));
            zeros -= 16;
        }
        tokens.push(Token::number(tables + OTHERS, zeros as u8, block[at as usize & 63]));
        next = at + 1;
    }
    if next < 64 {
        tokens.push(Token::new(tables + OTHERS, END, 0));
    }
}
