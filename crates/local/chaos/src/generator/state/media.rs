//! Operations on files.

use super::{GeneratorState, VISIBILITIES};
use crate::{
    operation::Operation,
    size::{PERSONS, PICTURE_PLACES, PLACES},
    sounds::SOUNDS,
};

impl GeneratorState {
    pub(super) fn media_operation(&mut self, photographs: usize) -> Operation {
        let (person, photograph, sound) =
            (self.random.below(PERSONS), self.random.below(photographs), self.random.below(SOUNDS));
        let (place, sound_place) =
            (self.random.below(PICTURE_PLACES), PICTURE_PLACES + self.random.below(PLACES - PICTURE_PLACES));
        // All files at a place belong to one person.
        let owner = |place| place % PERSONS;
        match self.random.below(28) {
            0..7 => self.upload_photograph(person, photographs),
            7..9 => Operation::UploadSound { person, file: self.new_file(), sound },
            9..14 => Operation::PutPhotograph { person: owner(place), place, photograph },
            14..17 => Operation::PutSound { person: owner(sound_place), place: sound_place, sound },
            17..19 => Operation::PutInvalidPhotograph { person: owner(place), place },
            19 => Operation::PutInvalidSound { person: owner(sound_place), place: sound_place },
            20..22 => Operation::DeleteInBucket { person: owner(place), place },
            22 => Operation::DeleteInBucket { person: owner(sound_place), place: sound_place },
            choice => match self.random.choose(self.uploaded.clone()) {
                Some(file) if choice < 26 => {
                    self.uploaded.remove(&file);
                    Operation::DeleteByApi { file }
                }
                Some(file) => Operation::SetFileVisibility { file, visibility: self.visibility() },
                None => Operation::Settle,
            },
        }
    }

    /// Half of the photographs belong to a story, of which some have another author.
    pub(super) fn upload_photograph(&mut self, person: usize, photographs: usize) -> Operation {
        let is_any_author = self.random.below(5) == 0;
        let stories =
            self.stories.iter().filter(|(_, story)| is_any_author || story.is_published && story.author == person);
        let stories: Vec<_> = stories.map(|(story, _)| *story).collect();
        let story = if self.random.below(2) == 0 { self.random.choose(stories) } else { None };
        let (photograph, visibility) = (self.random.below(photographs), self.visibility());
        Operation::UploadPhotograph { person, file: self.new_file(), photograph, story, visibility }
    }

    fn visibility(&mut self) -> &'static str {
        VISIBILITIES[self.random.below(VISIBILITIES.len())]
    }

    fn new_file(&mut self) -> usize {
        self.files += 1;
        self.uploaded.insert(self.files);
        self.files
    }
}
