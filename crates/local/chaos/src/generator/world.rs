use std::collections::{BTreeMap, BTreeSet};

use super::{Draw, PERSONS, PICTURE_PLACES, PLACES, Size, TAGS};
use crate::{
    operation::{Operation, Queue},
    sounds::SOUNDS,
};

/// What people can switch off.
const CATEGORIES: [&str; 4] = ["followers", "likes", "replies", "stories"];
/// Who may see a story.
const VISIBILITIES: [&str; 3] = ["public", "followers", "private"];

/// What stands so far, so that what is undone was done.
#[derive(Debug, Default)]
pub(super) struct World {
    draw: Draw,
    files: usize,
    uploaded: BTreeSet<usize>,
    /// How many stories were ever told.
    told: usize,
    /// Those that are there.
    stories: BTreeMap<usize, Story>,
    comments: usize,
    /// Names and titles that somebody thought of.
    words: usize,
    poisons: usize,
    likes: BTreeSet<(usize, usize)>,
    follows: BTreeSet<(usize, usize)>,
    blocks: BTreeSet<(usize, usize)>,
    mutes: BTreeSet<(usize, usize)>,
}

/// A story that is there.
#[derive(Debug, Clone)]
struct Story {
    /// Who tells it, if anybody does.
    author: Option<usize>,
    has_title: bool,
    visibility: Option<&'static str>,
    tags: BTreeSet<usize>,
}

impl World {
    /// Nothing stands yet.
    pub(super) fn new(draw: Draw) -> Self {
        Self { draw, ..Self::default() }
    }

    /// What comes next.
    pub(super) fn next(&mut self, size: Size) -> Operation {
        match self.draw.below(100) {
            0..26 => self.with_files(size.photographs),
            26..39 => self.between_persons(),
            39..58 => self.with_others_stories(),
            58..73 => self.with_ones_own(),
            73..81 => self.with_phones(),
            81..85 => self.together(size.photographs),
            85..91 => Operation::Settle,
            _ => self.trouble(),
        }
    }

    fn with_files(&mut self, photographs: usize) -> Operation {
        let (person, photograph, sound) =
            (self.draw.below(PERSONS), self.draw.below(photographs), self.draw.below(SOUNDS));
        let (place, sound_place) =
            (self.draw.below(PICTURE_PLACES), PICTURE_PLACES + self.draw.below(PLACES - PICTURE_PLACES));
        // What is written to one place is all one person's.
        let owner = |place| place % PERSONS;
        match self.draw.below(26) {
            0..7 => Operation::Upload { person, file: self.new_file(), photograph },
            7..9 => Operation::UploadSound { person, file: self.new_file(), sound },
            9..14 => Operation::Put { person: owner(place), place, photograph },
            14..17 => Operation::PutSound { person: owner(sound_place), place: sound_place, sound },
            17..19 => Operation::PutBroken { person: owner(place), place },
            19 => Operation::PutNoSound { person: owner(sound_place), place: sound_place },
            20..22 => Operation::DeleteInBucket { person: owner(place), place },
            22 => Operation::DeleteInBucket { person: owner(sound_place), place: sound_place },
            _ => match self.draw.of(self.uploaded.clone()) {
                Some(file) => {
                    self.uploaded.remove(&file);
                    Operation::DeleteByApi { file }
                }
                None => Operation::Settle,
            },
        }
    }

    fn new_file(&mut self) -> usize {
        self.files += 1;
        self.uploaded.insert(self.files);
        self.files
    }

    fn between_persons(&mut self) -> Operation {
        let from = self.draw.below(PERSONS);
        let to = (from + 1 + self.draw.below(PERSONS - 1)) % PERSONS;
        match self.draw.below(19) {
            0..9 if !self.follows.contains(&(from, to)) => self.follow(from, to),
            0..11 => match self.draw.of(self.follows.clone()) {
                Some((from, to)) => {
                    self.follows.remove(&(from, to));
                    Operation::Unfollow { from, to }
                }
                None => self.follow(from, to),
            },
            11..13 if self.blocks.insert((from, to)) => Operation::Block { from, to },
            11..15 => match self.draw.of(self.blocks.clone()) {
                Some((from, to)) => {
                    self.blocks.remove(&(from, to));
                    Operation::Unblock { from, to }
                }
                None => self.tell(from),
            },
            15..17 if self.mutes.insert((from, to)) => Operation::Mute { from, to },
            _ => match self.draw.of(self.mutes.clone()) {
                Some((from, to)) => {
                    self.mutes.remove(&(from, to));
                    Operation::Unmute { from, to }
                }
                None => self.tell(from),
            },
        }
    }

    fn with_others_stories(&mut self) -> Operation {
        let from = self.draw.below(PERSONS);
        let Some(story) = self.draw.of(self.stories.keys().copied()) else { return self.tell(from) };
        match self.draw.below(19) {
            0..10 if self.likes.insert((from, story)) => Operation::Like { from, story },
            0..13 => match self.draw.of(self.likes.clone()) {
                Some((from, story)) => {
                    self.likes.remove(&(from, story));
                    Operation::Unlike { from, story }
                }
                None => self.tell(from),
            },
            _ => self.reply(from, story),
        }
    }

    /// What people do with their own stories, and with themselves.
    fn with_ones_own(&mut self) -> Operation {
        let person = self.draw.below(PERSONS);
        let number = self.draw.of(self.stories.keys().copied());
        let (Some(story), choice) = (number, self.draw.below(18)) else { return self.tell(person) };
        let tag = self.draw.below(TAGS);
        let visibility = self.draw.of(VISIBILITIES.map(Some).into_iter().chain([None])).flatten();
        let is_wordless = self.draw.below(4) == 0;
        self.words += 1;
        let Some(known) = self.stories.get_mut(&story) else { return self.tell(person) };
        match choice {
            0..7 => self.tell(person),
            7..9 => {
                let title = (!is_wordless || !known.has_title).then_some(self.words);
                known.has_title = title.is_some();
                Operation::Retitle { story, title }
            }
            9..11 if known.visibility != visibility => {
                known.visibility = visibility;
                Operation::SetVisibility { story, visibility }
            }
            9..14 if known.tags.insert(tag) => Operation::Tag { story, tag },
            9..14 => {
                known.tags.remove(&tag);
                Operation::Untag { story, tag }
            }
            14..16 => Operation::Rename { person, name: self.words },
            16 => match known.author.take() {
                Some(author) => Operation::Untell { author, story },
                None => self.remove(story),
            },
            _ => self.remove(story),
        }
    }

    fn with_phones(&mut self) -> Operation {
        let person = self.draw.below(PERSONS);
        match self.draw.below(9) {
            0..4 => Operation::SignIn { person, phone: self.draw.below(PERSONS) },
            4..6 => Operation::SignOut { person },
            _ => {
                let muted = CATEGORIES.into_iter().filter(|_| self.draw.below(4) == 0).collect();
                Operation::Prefer { person, muted }
            }
        }
    }

    /// Two operations of which it can be said afterwards what is right, whichever was quicker.
    fn together(&mut self, photographs: usize) -> Operation {
        let from = self.draw.below(PERSONS);
        let other = (from + 1 + self.draw.below(PERSONS - 1)) % PERSONS;
        let (one, other) = match self.draw.below(3) {
            0 => match self.draw.of(self.stories.keys().copied()) {
                Some(story) => (self.reply(from, story), self.reply(other, story)),
                None => return self.tell(from),
            },
            // On the phone that the other had first.
            1 => (Operation::SignIn { person: from, phone: other }, Operation::SignOut { person: other }),
            _ => {
                let (place, photograph, sound) =
                    (self.draw.below(PLACES), self.draw.below(photographs), self.draw.below(SOUNDS));
                let person = place % PERSONS;
                let put = match place {
                    0..PICTURE_PLACES => Operation::Put { person, place, photograph },
                    _ => Operation::PutSound { person, place, sound },
                };
                (put, Operation::DeleteInBucket { person, place })
            }
        };
        Operation::Together { one: Box::new(one), other: Box::new(other) }
    }

    fn reply(&mut self, from: usize, story: usize) -> Operation {
        self.comments += 1;
        Operation::Reply { from, story, comment: self.comments }
    }

    fn trouble(&mut self) -> Operation {
        match self.draw.below(10) {
            0..5 => Operation::Kill { which: self.draw.any() },
            5..7 => Operation::RepeatEvents { order: self.draw.any() },
            7 => Operation::Replay,
            _ => {
                self.poisons += 1;
                let queue = Queue::ALL[self.draw.below(Queue::ALL.len())];
                Operation::Poison { queue, number: self.poisons }
            }
        }
    }

    pub(super) fn follow(&mut self, from: usize, to: usize) -> Operation {
        self.follows.insert((from, to));
        Operation::Follow { from, to }
    }

    pub(super) fn tell(&mut self, author: usize) -> Operation {
        let new = Story { author: Some(author), has_title: true, visibility: None, tags: BTreeSet::new() };
        self.stories.insert(self.told, new);
        self.told += 1;
        Operation::Tell { author, story: self.told - 1 }
    }

    fn remove(&mut self, story: usize) -> Operation {
        self.stories.remove(&story);
        self.likes.retain(|(_, liked)| *liked != story);
        Operation::RemoveStory { story }
    }
}
