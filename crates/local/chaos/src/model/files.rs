//! The valid states of files.

use std::collections::BTreeMap;

use super::Executed;
use crate::operation::Operation;

/// The state of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The item is ready with this content.
    Ready(Content),
    /// The file is invalid.
    Failed,
    /// There is no item.
    Gone,
}

/// The content of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// The photograph with this number.
    Photograph(usize),
    /// The recording with this number.
    Sound(usize),
}

/// The location of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The upload with this number.
    File(usize),
    /// The place in the bucket with this number.
    Place(usize),
}

/// The state of every file that was ever stored.
pub fn media(history: &[Executed]) -> BTreeMap<Place, State> {
    let (mut states, mut owners) = (BTreeMap::new(), BTreeMap::new());
    for executed in history {
        if let Operation::Erase { person, .. } = executed.operation {
            states.iter_mut().filter(|(place, _)| owners.get(*place) == Some(&person)).for_each(|(_, state)| {
                *state = State::Gone;
            });
        }
        let photograph = |number| State::Ready(Content::Photograph(number));
        let sound = |number| State::Ready(Content::Sound(number));
        let (place, state) = match executed.operation {
            Operation::UploadPhotograph { file, photograph: number, .. } => (Place::File(file), photograph(number)),
            Operation::UploadSound { file, sound: number, .. } => (Place::File(file), sound(number)),
            Operation::PutPhotograph { place, photograph: number, .. } => (Place::Place(place), photograph(number)),
            Operation::PutSound { place, sound: number, .. } => (Place::Place(place), sound(number)),
            Operation::PutInvalidPhotograph { place, .. } | Operation::PutInvalidSound { place, .. } => {
                (Place::Place(place), State::Failed)
            }
            Operation::DeleteByApi { file } => (Place::File(file), State::Gone),
            Operation::DeleteInBucket { place, .. } => (Place::Place(place), State::Gone),
            _ => continue,
        };
        owners.extend(owner(&executed.operation).map(|owner| (place, owner)));
        states.insert(place, state);
    }
    states
}

/// Who owns what an operation stores.
fn owner(operation: &Operation) -> Option<usize> {
    match *operation {
        Operation::UploadPhotograph { person, .. }
        | Operation::UploadSound { person, .. }
        | Operation::PutPhotograph { person, .. }
        | Operation::PutSound { person, .. }
        | Operation::PutInvalidPhotograph { person, .. }
        | Operation::PutInvalidSound { person, .. } => Some(person),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::executed;

    #[test]
    fn last_operation_determines_the_state() {
        let put = Operation::PutPhotograph { person: 0, place: 0, photograph: 3 };
        let broken = Operation::PutInvalidPhotograph { person: 0, place: 0 };
        let sound = Operation::PutSound { person: 0, place: 0, sound: 2 };
        let no_sound = Operation::PutInvalidSound { person: 0, place: 0 };
        let gone = Operation::DeleteInBucket { person: 0, place: 0 };
        let last = |operations: Vec<Operation>| media(&executed(operations)).remove(&Place::Place(0));
        assert_eq!(last(vec![gone.clone(), put.clone()]), Some(State::Ready(Content::Photograph(3))));
        assert_eq!(last(vec![put.clone(), broken.clone()]), Some(State::Failed));
        assert_eq!(last(vec![put, broken, gone]), Some(State::Gone));
        assert_eq!(last(vec![no_sound.clone(), sound.clone()]), Some(State::Ready(Content::Sound(2))));
        assert_eq!(last(vec![sound, no_sound]), Some(State::Failed));
        assert_eq!(last(vec![]), None);
    }

    #[test]
    fn erasure_removes_the_files_of_its_person() {
        let put = |person| Operation::PutPhotograph { person, place: person, photograph: 3 };
        let erase = Operation::Erase { person: 0, stories: vec![], comments: vec![] };
        let states = media(&executed(vec![put(0), put(1), erase]));
        let ready = State::Ready(Content::Photograph(3));
        assert_eq!(states, BTreeMap::from([(Place::Place(0), State::Gone), (Place::Place(1), ready)]));
    }
}
