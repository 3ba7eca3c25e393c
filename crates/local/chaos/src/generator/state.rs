mod media;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    operation::{Operation, Queue},
    random::Random,
    size::{PERSONS, PICTURE_PLACES, PLACES, Size, TAGS},
    sounds::SOUNDS,
};

/// Categories of notifications.
const CATEGORIES: [&str; 4] = ["followers", "likes", "replies", "stories"];
/// Visibilities of stories.
const VISIBILITIES: [&str; 3] = ["public", "followers", "private"];

/// The state after the generated operations, so that only existing things are changed.
#[derive(Debug, Default)]
pub(super) struct GeneratorState {
    random: Random,
    files: usize,
    uploaded: BTreeSet<usize>,
    /// Number of stories ever published.
    published: usize,
    /// The existing stories.
    stories: BTreeMap<usize, Story>,
    /// Number of comments ever written.
    commented: usize,
    /// The existing comments with their authors.
    comments: BTreeMap<usize, usize>,
    /// The persons who have requested a copy.
    exported: BTreeSet<usize>,
    /// Number of generated names and titles.
    texts: usize,
    poisons: usize,
    likes: BTreeSet<(usize, usize)>,
    follows: BTreeSet<(usize, usize)>,
    blocks: BTreeSet<(usize, usize)>,
    mutes: BTreeSet<(usize, usize)>,
}

/// An existing story.
#[derive(Debug, Clone)]
struct Story {
    author: usize,
    /// Whether the author still tells it.
    is_published: bool,
    has_title: bool,
    visibility: Option<&'static str>,
    tags: BTreeSet<usize>,
}

impl GeneratorState {
    /// The initial state.
    pub(super) fn new(random: Random) -> Self {
        Self { random, ..Self::default() }
    }

    /// The next operations.
    pub(super) fn next(&mut self, size: Size) -> Vec<Operation> {
        let operation = match self.random.below(100) {
            0..26 => self.media_operation(size.photographs),
            26..39 => self.relation_operation(),
            39..58 => self.reaction_operation(),
            58..73 => self.authoring_operation(),
            73..80 => self.device_operation(),
            80 => self.export(),
            81..85 => self.concurrent_operations(size.photographs),
            85..89 => Operation::Settle,
            89..91 => return self.toggled_like(),
            91..94 => return self.changing_audience(),
            _ => self.disruption(),
        };
        vec![operation]
    }

    /// A fast reset. The numbers of stories and comments are not used again, so their ids are not, either.
    pub(super) fn reset(&mut self) -> Operation {
        self.stories.clear();
        self.comments.clear();
        for relation in [&mut self.likes, &mut self.follows, &mut self.blocks, &mut self.mutes] {
            relation.clear();
        }
        Operation::Reset
    }

    /// The erasure of an account, with disruptions and the uploads of others. No later operation is about the person. Stories
    /// that the person does not tell any more are theirs, too.
    pub(super) fn erasure(&mut self, size: Size) -> Vec<Operation> {
        let person = self.random.below(PERSONS);
        let stories =
            self.stories.iter().filter(|(_, story)| story.author == person).map(|(story, _)| *story).collect();
        let comments =
            self.comments.iter().filter(|(_, author)| **author == person).map(|(comment, _)| *comment).collect();
        let mut operations = vec![Operation::Erase { person, stories, comments }];
        let other = (person + 1) % PERSONS;
        operations.extend(self.exported.insert(other).then_some(Operation::Export { person: other }));
        for _ in 0..6 {
            operations.push(match self.random.below(4) {
                0 => {
                    let other = (person + 1 + self.random.below(PERSONS - 1)) % PERSONS;
                    self.upload_photograph(other, size.photographs)
                }
                1 => Operation::Kill { which: self.random.any() },
                2 => Operation::RepeatEvents { order: self.random.any() },
                _ => Operation::Replay,
            });
        }
        operations
    }

    /// A copy of everything about a person. One per person and history: each is allowed two on a day.
    fn export(&mut self) -> Operation {
        let person = self.random.below(PERSONS);
        if self.exported.insert(person) { Operation::Export { person } } else { Operation::Settle }
    }

    /// A story whose author gains and loses followers while its pages of followers are processed, and perhaps again.
    fn changing_audience(&mut self) -> Vec<Operation> {
        let author = self.random.below(PERSONS);
        let mut operations = vec![self.publish(author)];
        for from in (0..PERSONS).filter(|from| *from != author) {
            operations.extend(match self.random.below(4) {
                0 => None,
                1 => Some(Operation::Kill { which: self.random.any() }),
                _ if self.follows.remove(&(from, author)) => Some(Operation::Unfollow { from, to: author }),
                _ => Some(self.follow(from, author)),
            });
        }
        operations
    }

    /// A person who adds and removes the same like several times.
    fn toggled_like(&mut self) -> Vec<Operation> {
        let from = self.random.below(PERSONS);
        let Some(story) = self.random.choose(self.stories.keys().copied()) else { return vec![self.publish(from)] };
        let mut operations = Vec::new();
        for _ in 0..3 + self.random.below(4) {
            operations.push(if self.likes.remove(&(from, story)) {
                Operation::Unlike { from, story }
            } else {
                self.likes.insert((from, story));
                Operation::Like { from, story }
            });
            operations.extend(match self.random.below(6) {
                0 => Some(Operation::Settle),
                1 => Some(Operation::Kill { which: self.random.any() }),
                _ => None,
            });
        }
        operations
    }

    fn relation_operation(&mut self) -> Operation {
        let from = self.random.below(PERSONS);
        let to = (from + 1 + self.random.below(PERSONS - 1)) % PERSONS;
        match self.random.below(19) {
            0..9 if !self.follows.contains(&(from, to)) => self.follow(from, to),
            0..11 => match self.random.choose(self.follows.clone()) {
                Some((from, to)) => {
                    self.follows.remove(&(from, to));
                    Operation::Unfollow { from, to }
                }
                None => self.follow(from, to),
            },
            11..13 if self.blocks.insert((from, to)) => Operation::Block { from, to },
            11..15 => match self.random.choose(self.blocks.clone()) {
                Some((from, to)) => {
                    self.blocks.remove(&(from, to));
                    Operation::Unblock { from, to }
                }
                None => self.publish(from),
            },
            15..17 if self.mutes.insert((from, to)) => Operation::Mute { from, to },
            _ => match self.random.choose(self.mutes.clone()) {
                Some((from, to)) => {
                    self.mutes.remove(&(from, to));
                    Operation::Unmute { from, to }
                }
                None => self.publish(from),
            },
        }
    }

    fn reaction_operation(&mut self) -> Operation {
        let from = self.random.below(PERSONS);
        let Some(story) = self.random.choose(self.stories.keys().copied()) else { return self.publish(from) };
        match self.random.below(19) {
            0..10 if self.likes.insert((from, story)) => Operation::Like { from, story },
            0..13 => match self.random.choose(self.likes.clone()) {
                Some((from, story)) => {
                    self.likes.remove(&(from, story));
                    Operation::Unlike { from, story }
                }
                None => self.publish(from),
            },
            _ => self.reply(from, story),
        }
    }

    /// Changes a story or a person.
    fn authoring_operation(&mut self) -> Operation {
        let person = self.random.below(PERSONS);
        let number = self.random.choose(self.stories.keys().copied());
        let (Some(story), choice) = (number, self.random.below(18)) else { return self.publish(person) };
        let tag = self.random.below(TAGS);
        let visibility = self.random.choose(VISIBILITIES.map(Some).into_iter().chain([None])).flatten();
        let removes_title = self.random.below(4) == 0;
        self.texts += 1;
        let Some(story_state) = self.stories.get_mut(&story) else { return self.publish(person) };
        match choice {
            0..7 => self.publish(person),
            7..9 => {
                let title = (!removes_title || !story_state.has_title).then_some(self.texts);
                story_state.has_title = title.is_some();
                Operation::SetTitle { story, title }
            }
            9..11 if story_state.visibility != visibility => {
                story_state.visibility = visibility;
                Operation::SetVisibility { story, visibility }
            }
            9..14 if story_state.tags.insert(tag) => Operation::Tag { story, tag },
            9..14 => {
                story_state.tags.remove(&tag);
                Operation::Untag { story, tag }
            }
            14..16 => Operation::Rename { person, name: self.texts },
            16 if story_state.is_published => {
                story_state.is_published = false;
                Operation::UnpublishStory { author: story_state.author, story }
            }
            _ => self.remove(story),
        }
    }

    fn device_operation(&mut self) -> Operation {
        let person = self.random.below(PERSONS);
        match self.random.below(11) {
            0..4 => Operation::SignIn { person, phone: self.random.below(PERSONS) },
            4..6 => Operation::SignOut { person },
            6..8 => Operation::ReadInbox { person },
            _ => {
                let muted = CATEGORIES.into_iter().filter(|_| self.random.below(4) == 0).collect();
                Operation::SetPreferences { person, muted }
            }
        }
    }

    /// Two concurrent operations whose valid outcomes can be determined afterwards.
    fn concurrent_operations(&mut self, photographs: usize) -> Operation {
        let from = self.random.below(PERSONS);
        let other = (from + 1 + self.random.below(PERSONS - 1)) % PERSONS;
        let (one, other) = match self.random.below(4) {
            0 => match self.random.choose(self.stories.keys().copied()) {
                Some(story) => (self.reply(from, story), self.reply(other, story)),
                None => return self.publish(from),
            },
            // On the phone of the other person.
            1 => (Operation::SignIn { person: from, phone: other }, Operation::SignOut { person: other }),
            // Two accounts on one phone.
            2 => {
                let phone = self.random.below(PERSONS);
                (Operation::SignIn { person: from, phone }, Operation::SignIn { person: other, phone })
            }
            _ => {
                let (place, photograph, sound) =
                    (self.random.below(PLACES), self.random.below(photographs), self.random.below(SOUNDS));
                let person = place % PERSONS;
                let put = match place {
                    0..PICTURE_PLACES => Operation::PutPhotograph { person, place, photograph },
                    _ => Operation::PutSound { person, place, sound },
                };
                (put, Operation::DeleteInBucket { person, place })
            }
        };
        Operation::Concurrent { one: Box::new(one), other: Box::new(other) }
    }

    fn reply(&mut self, from: usize, story: usize) -> Operation {
        self.commented += 1;
        self.comments.insert(self.commented, from);
        Operation::Reply { from, story, comment: self.commented }
    }

    fn disruption(&mut self) -> Operation {
        match self.random.below(10) {
            0..5 => Operation::Kill { which: self.random.any() },
            5..7 => Operation::RepeatEvents { order: self.random.any() },
            7 => Operation::Replay,
            _ => {
                self.poisons += 1;
                let queue = Queue::ALL[self.random.below(Queue::ALL.len())];
                Operation::Poison { queue, number: self.poisons }
            }
        }
    }

    pub(super) fn follow(&mut self, from: usize, to: usize) -> Operation {
        self.follows.insert((from, to));
        Operation::Follow { from, to }
    }

    pub(super) fn publish(&mut self, author: usize) -> Operation {
        let new = Story { author, is_published: true, has_title: true, visibility: None, tags: BTreeSet::new() };
        self.stories.insert(self.published, new);
        self.published += 1;
        Operation::PublishStory { author, story: self.published - 1 }
    }

    fn remove(&mut self, story: usize) -> Operation {
        self.stories.remove(&story);
        self.likes.retain(|(_, liked)| *liked != story);
        Operation::RemoveStory { story }
    }
}
