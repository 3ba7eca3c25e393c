//! A Huffman code made for what is to be written (T.81, annexes K.2 and C).

/// How often each symbol comes.
pub(super) struct Histogram([u32; 256]);

impl Histogram {
    pub const fn new() -> Self {
        Self([0; 256])
    }

    #[inline]
    pub fn count(&mut self, symbol: u8) {
        self.0[usize::from(symbol)] += 1;
    }

    /// The best code whose words have 16 bits at most.
    pub fn code(&self) -> Code {
        let mut counts = lengths(&self.0);
        limit(&mut counts);
        // The rarest symbols get the longest words.
        let mut symbols: Vec<u8> = (0..=255).filter(|&symbol| self.0[usize::from(symbol)] > 0).collect();
        symbols.sort_by_key(|&symbol| std::cmp::Reverse(self.0[usize::from(symbol)]));
        Code::new(counts, symbols)
    }
}

/// No word is longer, for there are 257 at most.
const LONGEST: usize = 256;

/// How many words there are of each length.
type Lengths = [u32; LONGEST + 1];

fn lengths(frequencies: &[u32; 256]) -> Lengths {
    /// Symbols whose words have grown together.
    struct Tree {
        frequency: u64,
        depths: Vec<u32>,
    }
    let leaf = |frequency: u64| Tree { frequency, depths: vec![0] };
    let mut trees: Vec<Tree> = frequencies.iter().filter(|&&f| f > 0).map(|&f| leaf(u64::from(f))).collect();
    // One that never comes: it takes the word of ones, which JPEG does not allow.
    trees.push(leaf(0));
    while trees.len() > 1 {
        trees.sort_by_key(|tree| std::cmp::Reverse(tree.frequency));
        if let (Some(a), Some(b)) = (trees.pop(), trees.pop()) {
            let depths = a.depths.into_iter().chain(b.depths).map(|depth| depth + 1).collect();
            trees.push(Tree { frequency: a.frequency + b.frequency, depths });
        }
    }
    let mut counts = [0; LONGEST + 1];
    for depth in trees.into_iter().flat_map(|tree| tree.depths) {
        counts[(depth as usize).min(LONGEST)] += 1;
    }
    counts
}

/// Shortens words of more than 16 bits at the price of others, and drops the word of ones.
fn limit(counts: &mut Lengths) {
    for length in (17..=LONGEST).rev() {
        while counts[length] > 0 {
            let shorter = (1..length - 1).rev().find(|&shorter| counts[shorter] > 0).unwrap_or(1);
            // A pair of long words: one takes their common beginning, the other goes with one from further up.
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

/// A code as it is written down, and by symbol.
pub(super) struct Code {
    /// By length, 1 to 16 bits.
    pub counts: [u8; 16],
    /// By their words.
    pub symbols: Vec<u8>,
    /// By symbol: the word, and its length.
    words: [(u16, u8); 256],
}

impl Code {
    fn new(lengths: Lengths, symbols: Vec<u8>) -> Self {
        let counts = std::array::from_fn(|i| lengths[i + 1] as u8);
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

    /// The word and its length.
    #[inline]
    pub fn word(&self, symbol: u8) -> (u32, u32) {
        let (word, length) = self.words[usize::from(symbol)];
        (word.into(), length.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fibonacci's numbers make the deepest trees.
    #[test]
    fn words_are_never_too_long_and_all_differ() {
        let mut histogram = Histogram::new();
        let (mut a, mut b) = (1, 1);
        for symbol in 0..40 {
            histogram.0[symbol] = a;
            (a, b) = (b, a + b);
        }
        let code = histogram.code();
        assert_eq!(code.symbols.len(), 40);
        assert_eq!(code.counts.iter().map(|&count| u32::from(count)).sum::<u32>(), 40);
        // No word is the beginning of another, and none is all ones.
        let words: Vec<_> = (0..40).map(|symbol| code.word(symbol)).collect();
        for (i, &(word, length)) in words.iter().enumerate() {
            assert!((1..=16).contains(&length) && word < (1 << length) - 1);
            for &(other, longer) in words[i + 1..].iter().chain(&words[..i]) {
                assert!(longer < length || other >> (longer - length) != word);
            }
        }
    }

    #[test]
    fn a_single_symbol_takes_one_bit() {
        let mut histogram = Histogram::new();
        histogram.count(7);
        assert_eq!(histogram.code().word(7), (0, 1));
    }
}
