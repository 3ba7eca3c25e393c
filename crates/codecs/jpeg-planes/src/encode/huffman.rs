//! Builds the optimal Huffman code for the symbols of a picture (T.81, annexes K.2 and C).

/// The frequencies of the symbols.
pub(super) struct Histogram([u32; 256]);

impl Histogram {
    pub const fn new() -> Self {
        Self([0; 256])
    }

    #[inline]
    pub fn count(&mut self, symbol: u8) {
        self.0[usize::from(symbol)] += 1;
    }

    /// The optimal code with at most 16 bits per code word.
    pub fn code(&self) -> HuffmanTable {
        let mut counts = length_counts(&self.0);
        limit_to_16_bits(&mut counts);
        // The rarest symbols get the longest code words.
        let mut symbols: Vec<u8> = (0..=255).filter(|&symbol| self.0[usize::from(symbol)] > 0).collect();
        symbols.sort_by_key(|&symbol| std::cmp::Reverse(self.0[usize::from(symbol)]));
        HuffmanTable::new(counts, symbols)
    }
}

/// The longest possible code word, because there are at most 257 symbols.
const MAX_LENGTH: usize = 256;

/// The number of code words by length.
type LengthCounts = [u32; MAX_LENGTH + 1];

fn length_counts(frequencies: &[u32; 256]) -> LengthCounts {
    /// A subtree of the code.
    struct Tree {
        frequency: u64,
        depths: Vec<u32>,
    }
    let leaf = |frequency: u64| Tree { frequency, depths: vec![0] };
    let mut trees: Vec<Tree> = frequencies.iter().filter(|&&f| f > 0).map(|&f| leaf(u64::from(f))).collect();
    // An unused symbol takes the code word of all ones, which JPEG does not allow.
    trees.push(leaf(0));
    while trees.len() > 1 {
        trees.sort_by_key(|tree| std::cmp::Reverse(tree.frequency));
        if let (Some(a), Some(b)) = (trees.pop(), trees.pop()) {
            let depths = a.depths.into_iter().chain(b.depths).map(|depth| depth + 1).collect();
            trees.push(Tree { frequency: a.frequency + b.frequency, depths });
        }
    }
    let mut counts = [0; MAX_LENGTH + 1];
    for depth in trees.into_iter().flat_map(|tree| tree.depths) {
        counts[(depth as usize).min(MAX_LENGTH)] += 1;
    }
    counts
}

/// Shortens code words of more than 16 bits at the cost of others, and drops the one of all ones.
fn limit_to_16_bits(counts: &mut LengthCounts) {
    for length in (17..=MAX_LENGTH).rev() {
        while counts[length] > 0 {
            let shorter = (1..length - 1).rev().find(|&shorter| counts[shorter] > 0).unwrap_or(1);
            // Of two long words, one takes their common prefix. The other becomes a sibling of a shorter word.
            counts[length] -= 2;
            counts[length - 1] += 1;
            counts[shorter + 1] += 2;
            counts[shorter] -= 1;
        }
    }
    if let Some(longest) = counts.iter_mut().rev().find(|count| **count > 0) {
        *longest -= 1;
    }
}

/// A code, as a DHT segment defines it and by symbol.
pub(super) struct HuffmanTable {
    /// The number of code words by length, 1 to 16 bits.
    pub counts: [u8; 16],
    /// In the order of their code words.
    pub symbols: Vec<u8>,
    /// By symbol: the code word and its length.
    words: [(u16, u8); 256],
}

impl HuffmanTable {
    fn new(length_counts: LengthCounts, symbols: Vec<u8>) -> Self {
        let counts = std::array::from_fn(|i| length_counts[i + 1] as u8);
        let mut words = [(0, 0); 256];
        let mut word = 0_u32;
        let mut rest = symbols.iter();
        for (length, &count) in (1_u8..).zip(&counts) {
            for &symbol in rest.by_ref().take(count.into()) {
                words[usize::from(symbol)] = (word as u16, length);
                word += 1;
            }
            word <<= 1;
        }
        Self { counts, symbols, words }
    }

    /// The code word of a symbol and its length.
    #[inline]
    pub fn word(&self, symbol: u8) -> (u32, u32) {
        let (word, length) = self.words[usize::from(symbol)];
        (word.into(), length.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fibonacci numbers as frequencies make the deepest tree.
    #[test]
    fn code_of_fibonacci_frequencies_has_at_most_16_bits_and_is_prefix_free() {
        let mut histogram = Histogram::new();
        let (mut a, mut b) = (1, 1);
        for symbol in 0..40 {
            histogram.0[symbol] = a;
            (a, b) = (b, a + b);
        }
        let code = histogram.code();
        assert_eq!(code.symbols.len(), 40);
        assert_eq!(code.counts.iter().map(|&count| u32::from(count)).sum::<u32>(), 40);
        // No word is a prefix of another, and none is all ones.
        let words: Vec<_> = (0..40).map(|symbol| code.word(symbol)).collect();
        for (i, &(word, length)) in words.iter().enumerate() {
            assert!((1..=16).contains(&length) && word < (1 << length) - 1);
            for &(other, longer) in words[i + 1..].iter().chain(&words[..i]) {
                assert!(longer < length || other >> (longer - length) != word);
            }
        }
    }

    #[test]
    fn code_of_a_single_symbol_has_one_bit() {
        let mut histogram = Histogram::new();
        histogram.count(7);
        assert_eq!(histogram.code().word(7), (0, 1));
    }
}
