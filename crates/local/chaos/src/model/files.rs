//! What becomes of files.

use std::collections::BTreeMap;

use super::Done;
use crate::operation::Operation;

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is shown.
    Ready(Content),
    /// It is no picture, or no recording.
    Failed,
    /// There is none.
    Gone,
}

/// What is in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// The photograph with this number.
    Photograph(usize),
    /// The recording with this number.
    Sound(usize),
}

/// Where a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Where the API had it sent.
    File(usize),
    /// In the bucket, at this place of a person.
    Place(usize),
}

/// What becomes of each file that there ever was.
pub fn media(history: &[Done]) -> BTreeMap<Place, State> {
    let mut states = BTreeMap::new();
    for done in history {
        let photograph = |number| State::Ready(Content::Photograph(number));
        let sound = |number| State::Ready(Content::Sound(number));
        let (place, state) = match done.operation {
            Operation::Upload { file, photograph: number, .. } => (Place::File(file), photograph(number)),
            Operation::UploadSound { file, sound: number, .. } => (Place::File(file), sound(number)),
            Operation::Put { place, photograph: number, .. } => (Place::Place(place), photograph(number)),
            Operation::PutSound { place, sound: number, .. } => (Place::Place(place), sound(number)),
            Operation::PutBroken { place, .. } | Operation::PutNoSound { place, .. } => {
                (Place::Place(place), State::Failed)
            }
            Operation::DeleteByApi { file } => (Place::File(file), State::Gone),
            Operation::DeleteInBucket { place, .. } => (Place::Place(place), State::Gone),
            _ => continue,
        };
        states.insert(place, state);
    }
    states
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::done;

    #[test]
    fn the_last_word_on_a_file_counts() {
        let put = Operation::Put { person: 0, place: 0, photograph: 3 };
        let broken = Operation::PutBroken { person: 0, place: 0 };
        let sound = Operation::PutSound { person: 0, place: 0, sound: 2 };
        let no_sound = Operation::PutNoSound { person: 0, place: 0 };
        let gone = Operation::DeleteInBucket { person: 0, place: 0 };
        let last = |operations: Vec<Operation>| media(&done(operations)).remove(&Place::Place(0));
        assert_eq!(last(vec![gone.clone(), put.clone()]), Some(State::Ready(Content::Photograph(3))));
        assert_eq!(last(vec![put.clone(), broken.clone()]), Some(State::Failed));
        assert_eq!(last(vec![put, broken, gone]), Some(State::Gone));
        assert_eq!(last(vec![no_sound.clone(), sound.clone()]), Some(State::Ready(Content::Sound(2))));
        assert_eq!(last(vec![sound, no_sound]), Some(State::Failed));
        assert_eq!(last(vec![]), None);
    }
}
