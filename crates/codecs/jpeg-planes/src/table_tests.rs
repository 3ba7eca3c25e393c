//! The lookup tables against the Huffman codes that they are built from.

use proptest::prelude::*;

use crate::ac_table::{AcSymbol, AcTable, SKIP_BITS};
use crate::bit_reader::BitReader;
use crate::dc_table::DcTable;
use crate::huffman::{HuffmanCode, extend};

/// A code of any shape, with as many of the generated lengths as fit.
fn code(symbol: impl Strategy<Value = u8>) -> impl Strategy<Value = HuffmanCode> {
    prop::collection::vec((1..17_usize, symbol), 1..80).prop_map(|mut wanted| {
        wanted.sort_by_key(|&(length, _)| length);
        let (mut counts, mut symbols, mut room) = ([0_u8; 16], Vec::new(), 1_u32 << 16);
        for (length, symbol) in wanted {
            if let Some(rest) = room.checked_sub(1 << (16 - length)) {
                room = rest;
                counts[length - 1] += 1;
                symbols.push(symbol);
            }
        }
        HuffmanCode::new(&counts, &symbols).expect("a valid code")
    })
}

fn ac_code() -> impl Strategy<Value = HuffmanCode> {
    code((0..16_u8, 0..11_u8).prop_map(|(run, size)| run << 4 | size))
}

/// Decodes one symbol: zeros before the number, the number (`None` at the end of the block), and the bits consumed.
fn decode_symbol(code: &HuffmanCode, bits: u64) -> Option<(Option<(usize, i32)>, u32)> {
    let (symbol, length) = code.symbol((bits >> 48) as u32)?;
    match AcSymbol::from(symbol) {
        AcSymbol::EndOfBlock => Some((None, length)),
        AcSymbol::Coefficient { run, size } => {
            let number = (bits << length >> 32 >> 16) as u32 >> (16 - size);
            Some((Some((run as usize, extend(number, size))), length + size))
        }
    }
}

proptest! {
    #[test]
    fn ac_entry_of_any_code_equals_symbol_by_symbol_decoding(code in ac_code(), bits in any::<u64>()) {
        let table = AcTable::new(&code);
        let (entries, skip_entries) = table.tables();

        let entry = entries.at(bits);
        if entry.is_slow() {
            prop_assert!(entry.symbol().is_none_or(|found| code.symbol((bits >> 48) as u32) == Some(found)));
        } else {
            let (mut want, mut used, mut ended) = (Vec::new(), 0, 0);
            while used < entry.length() {
                match decode_symbol(&code, bits << used).expect("a symbol") {
                    (None, length) => (used, ended) = (used + length, ended + 1),
                    (Some(number), length) => {
                        want.push(number);
                        used += length;
                    }
                }
            }
            prop_assert_eq!((used, ended), (entry.length(), entry.end()));
            let mut got = Vec::new();
            if entry.first() != 0 || !want.is_empty() {
                got.push((entry.first_run(), entry.first()));
            }
            if entry.second_step() > 0 {
                got.push((entry.second_step() - 1, entry.second()));
            }
            prop_assert_eq!(got, want);
        }

        let entry = skip_entries.at(bits);
        let (mut steps, mut used, mut ended) = (0, 0, 0);
        while used < entry.length() {
            match decode_symbol(&code, bits << used).expect("a symbol") {
                (None, length) => (used, ended) = (used + length, ended + 1),
                (Some((run, _)), length) => (used, steps) = (used + length, steps + run + 1),
            }
        }
        prop_assert_eq!((steps, used, ended), (entry.steps(), entry.length(), entry.end()));
        prop_assert!(!entry.is_slow() || code.symbol((bits >> 48) as u32).is_none_or(|(_, length)| length > SKIP_BITS));
    }

    #[test]
    fn dc_table_of_any_code_equals_bit_by_bit_decoding(code in code(0..12_u8), bits in any::<u64>()) {
        let mut reader = BitReader::from_bits(bits);
        let got = DcTable::new(&code).read(&mut reader);
        let want = code.symbol((bits >> 48) as u32).map(|(size, length)| {
            let size = u32::from(size);
            extend((bits << length >> 32 >> 16) as u32 >> (16 - size), size)
        });
        prop_assert!(code.is_valid_for_dc());
        prop_assert_eq!(got, want);
    }
}
