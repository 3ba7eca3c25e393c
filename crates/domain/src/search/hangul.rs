//! Hangul as people type it: single jamo, and syllables that are not complete yet.

use std::ops::RangeInclusive;

/// The first syllable, 가.
const FIRST_SYLLABLE: u32 = 0xac00;
/// The last syllable, 힣.
const LAST_SYLLABLE: u32 = 0xd7a3;
/// Final consonants of a syllable, none included.
const FINALS: u32 = 28;
/// Vowels of a syllable.
const VOWELS: u32 = 21;
/// The first vowel as a single letter. The vowels are in the order of the syllables.
const FIRST_VOWEL: u32 = 0x314f;
/// Initial consonants as single letters, in the order of the syllables.
const INITIAL_LETTERS: &str = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";
/// Final consonants as single letters, in the order of the syllables, from number 1.
const FINAL_LETTERS: &str = "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ";

fn place_in(letters: &str, letter: char) -> Option<u32> {
    letters.chars().position(|other| other == letter).and_then(|place| u32::try_from(place).ok())
}

fn vowel(letter: char) -> Option<u32> {
    u32::from(letter).checked_sub(FIRST_VOWEL).filter(|place| *place < VOWELS)
}

/// The text with single letters composed to syllables, as a keyboard does: ㅅㅓ울 is 서울. NFC composes only letters of
/// another Unicode block (conjoining jamo). Consonants without a vowel stay.
pub fn compose_letters(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let at = |place: usize| letters.get(place).copied();
    let mut composed = String::with_capacity(text.len());
    let mut place = 0;
    while let Some(letter) = at(place) {
        let syllable = place_in(INITIAL_LETTERS, letter).zip(at(place + 1).and_then(vowel));
        let Some((initial, medial)) = syllable else {
            composed.push(letter);
            place += 1;
            continue;
        };
        // A consonant before a vowel starts the next syllable.
        let starts_syllable = at(place + 3).and_then(vowel).is_some();
        let last = at(place + 2).and_then(|letter| place_in(FINAL_LETTERS, letter)).filter(|_| !starts_syllable);
        let code = FIRST_SYLLABLE + (initial * VOWELS + medial) * FINALS + last.map_or(0, |last| last + 1);
        composed.extend(char::from_u32(code));
        place += if last.is_some() { 3 } else { 2 };
    }
    composed
}

/// The characters with which each character of a partially typed word can end up, or `None` if the word is complete.
///
/// A consonant stands for all syllables that it begins (ㅅ: 사 to 싷). A last syllable without a final consonant stands for
/// itself with any (우: 우 to 웋). Words with characters other than letters and digits are complete.
pub fn completions(word: &str) -> Option<Vec<RangeInclusive<char>>> {
    if !word.chars().all(char::is_alphanumeric) {
        return None;
    }
    let mut is_partial = false;
    let mut ranges: Vec<_> = word.chars().map(|letter| letter..=letter).collect();
    let last_place = ranges.len().saturating_sub(1);
    for (place, range) in ranges.iter_mut().enumerate() {
        let letter = *range.start();
        if let Some(typed) = beginning_with(letter).or_else(|| with_any_final(letter).filter(|_| place == last_place)) {
            *range = typed;
            is_partial = true;
        }
    }
    is_partial.then_some(ranges)
}

/// The syllables that begin with a consonant.
fn beginning_with(letter: char) -> Option<RangeInclusive<char>> {
    let first = FIRST_SYLLABLE + place_in(INITIAL_LETTERS, letter)? * VOWELS * FINALS;
    Some(char::from_u32(first)?..=char::from_u32(first + VOWELS * FINALS - 1)?)
}

/// A syllable without a final consonant, and those that add one.
fn with_any_final(letter: char) -> Option<RangeInclusive<char>> {
    let code = u32::from(letter);
    let is_open = (FIRST_SYLLABLE..=LAST_SYLLABLE).contains(&code) && (code - FIRST_SYLLABLE).is_multiple_of(FINALS);
    Some(letter..=char::from_u32(code + FINALS - 1)?).filter(|_| is_open)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn letters_are_composed_as_typed() {
        for (typed, expected) in [
            ("ㅅㅓ울", "서울"),
            ("ㅅㅓㅇㅜㄹ", "서울"),
            ("ㅎㅏㄴㄱㅏㅇ", "한강"),
            ("ㄲㅘㅎㅣㅎ", "꽈힣"),
            ("ㅇㅓㅄㄷㅏ", "없다"),
            ("ㅅㅇ", "ㅅㅇ"),
            ("ㅋㅋㅋ 첫눈ㅠㅠ", "ㅋㅋㅋ 첫눈ㅠㅠ"),
            ("abc 서", "abc 서"),
        ] {
            assert_eq!(compose_letters(typed), expected, "{typed}");
        }
    }

    #[test]
    fn partial_word_matches_its_completions() {
        let matches = |typed: &str, word: &str| {
            let ranges = completions(typed).unwrap_or_else(|| panic!("{typed} is complete"));
            ranges.len() == word.chars().count() && ranges.iter().zip(word.chars()).all(|(range, c)| range.contains(&c))
        };
        for (typed, word) in
            [("서우", "서울"), ("서우", "서우"), ("서ㅇ", "서울"), ("ㅅㅇ", "서울"), ("2ㅎㅅ", "2호선")]
        {
            assert!(matches(typed, word), "{typed} {word}");
        }
        for (typed, word) in [("서우", "수원"), ("서우", "서워"), ("ㅅㅇ", "쌀알"), ("ㅅㅇ", "서부"), ("ㅎ", "가")]
        {
            assert!(!matches(typed, word), "{typed} {word}");
        }
        for complete in ["", "서울", "seoul", "사람", "ㅅ.", "ㅠ", "가*힣"] {
            assert_eq!(completions(complete), None, "{complete}");
        }
    }

    proptest! {
        #[test]
        fn composing_is_idempotent(text in "[ㄱ-ㅣ가-힣a ]{0,12}") {
            let once = compose_letters(&text);
            prop_assert_eq!(compose_letters(&once), once);
        }
    }
}
