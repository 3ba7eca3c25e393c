//! Files of stories: the graph decides who may see them, while it says who may see their story.
//!
//! A file belongs to a story if it was declared with the story's id, and its owner has told the story. The messages say only
//! "look again": their reader takes the visibility from the projections. So their order and repetition do not matter.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    media::{MediaId, Post, Visibility},
    push::{Fact, Kind, Registers, Row, Vertex},
    visibility::VISIBILITY,
};

/// The most pages of one pass over a story, so that a mistake cannot make a function send to itself without end.
pub const MAX_PAGES: u32 = 2_000;

/// A story whose visibility the graph has set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrivingStory {
    /// Persons who have told it, sorted.
    pub authors: BTreeSet<String>,
    /// Who may see it. Private if the graph removed the visibility, or set one that is unknown.
    pub visibility: Visibility,
}

impl DrivingStory {
    /// The story in the registers of its vertex; `None` if its visibility was never set, or it has no author.
    pub fn of(registers: &Registers) -> Option<Self> {
        registers.get(VISIBILITY)?;
        let Vertex { owners, visibility, .. } = registers.into();
        let told = owners.into_iter().filter(|owner| owner.kind == Kind::Story);
        let authors: BTreeSet<_> = told.map(|owner| owner.person).collect();
        (!authors.is_empty()).then_some(Self { authors, visibility: visibility?.visibility })
    }

    /// The visibility of a file in the story; `None` if its owner is no author, and decides alone.
    pub fn visibility_for(&self, owner: &str) -> Option<Visibility> {
        self.authors.contains(owner).then_some(self.visibility)
    }
}

/// The story of which a change sets or removes the visibility, or adds an author. `facts` are those of the change.
pub fn story_to_check(facts: &[Fact]) -> Option<Post> {
    let vertex = facts.iter().find_map(|fact| {
        let Row::Vertex(vertex) = &fact.row else { return None };
        let is_author = fact.register.value.as_deref().is_some_and(|value| value.starts_with("told "));
        (fact.name == VISIBILITY || fact.name.starts_with("owner#") && is_author).then_some(vertex)
    });
    // No file can name another id.
    vertex?.clone().try_into().ok()
}

/// A message to the function that changes the visibility of files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum StoryFiles {
    /// Look at all files of a story.
    #[serde(rename = "app.iyagi.story.files")]
    Story(StoryPage),
    /// Look at one file.
    #[serde(rename = "app.iyagi.story.file")]
    File {
        /// The file's item.
        item: MediaId,
    },
}

/// A page of the files of a story.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryPage {
    /// The story's id.
    pub story: Post,
    /// The author whose files the page has; `None` on the first page. Earlier authors are done.
    pub author: Option<String>,
    /// The sort key of the author's last file of the page before.
    pub after: Option<String>,
    /// Number of the page.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub number: u32,
    /// Whether this is the second pass: the index of files lags behind their table, so that the first may miss new ones.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_second: bool,
}

/// What follows a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextPage {
    /// A page of the same pass.
    Page(StoryPage),
    /// The second pass, some time later.
    SecondPass(StoryPage),
}

impl StoryPage {
    /// The first page of a story.
    pub fn first(story: Post) -> Self {
        Self { story, author: None, after: None, number: 0, is_second: false }
    }

    /// The author whose files the page has; `None` if the pass is over.
    pub fn author<'a>(&self, authors: &'a BTreeSet<String>) -> Option<&'a String> {
        match &self.author {
            None => authors.first(),
            // The author may have been removed since.
            Some(author) => authors.range(author.clone()..).next(),
        }
    }

    /// What follows the page of `author`, after whose file `after` more files follow; `None` after the second pass.
    pub fn next(&self, authors: &BTreeSet<String>, author: &str, after: Option<String>) -> Option<NextPage> {
        let number = self.number.saturating_add(1);
        let next_author = || authors.iter().find(|other| other.as_str() > author).cloned();
        let author = if after.is_some() { Some(author.to_owned()) } else { next_author() };
        if author.is_some() {
            return Some(NextPage::Page(Self { author, after, number, ..self.clone() }));
        }
        (!self.is_second).then(|| NextPage::SecondPass(Self { is_second: true, ..Self::first(self.story.clone()) }))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        graph::{Change, ChangeKind, Position},
        push::{
            Register, facts,
            testing::{edge, received, vertex},
        },
    };

    fn post(text: &str) -> Post {
        text.to_owned().try_into().expect("a post")
    }

    fn registers(registers: &[(&str, Option<&str>)]) -> Registers {
        let at = Position::new(3, 1).into();
        let register = |value: &Option<&str>| Register { position: at, value: value.map(str::to_owned) };
        registers.iter().map(|(name, value)| ((*name).to_owned(), register(value))).collect()
    }

    #[test]
    fn only_a_told_story_whose_visibility_was_set_drives_files() {
        let told = ("owner#e", Some("told mina"));
        let added = ("added", Some(""));
        for never in [&[told, added][..], &[("visibility", Some("public")), added], &[]] {
            assert_eq!(DrivingStory::of(&registers(never)), None, "{never:?}");
        }
        // A comment, and a story whose author was removed.
        for untold in [("owner#e", Some("wrote mina")), ("owner#e", None)] {
            assert_eq!(DrivingStory::of(&registers(&[untold, ("visibility", Some("public"))])), None);
        }
        for (set, expected) in [
            (Some("public"), Visibility::Public),
            (Some("followers"), Visibility::Followers),
            (Some("private"), Visibility::Private),
            (Some("friends"), Visibility::Private),
            (None, Visibility::Private),
        ] {
            let story = DrivingStory::of(&registers(&[told, added, ("visibility", set)])).expect("a story");
            assert_eq!((story.visibility_for("mina"), story.visibility_for("jun")), (Some(expected), None));
        }
    }

    #[test]
    fn changes_of_visibility_and_new_authors_are_checked() {
        let of = |change: Change| story_to_check(&facts(&received(change)));
        assert_eq!(of(vertex(1, "s1", "visibility", Some("private"))), Some(post("s1")));
        assert_eq!(of(vertex(1, "s1", "visibility", None)), Some(post("s1")));
        assert_eq!(of(edge(ChangeKind::Added, 1, "e", "told", "mina", "s1")), Some(post("s1")));
        let mut moved = edge(ChangeKind::Changed, 1, "e", "told", "mina", "s2");
        moved.ends_before = edge(ChangeKind::Added, 1, "e", "told", "mina", "s1").ends;
        assert_eq!(of(moved), Some(post("s2")));
        let partial = Change { is_partial: true, ..vertex(1, "s1", "title", Some("첫눈")) };
        assert_eq!(of(partial), Some(post("s1")));
        for other in [
            vertex(1, "s1", "title", Some("첫눈")),
            edge(ChangeKind::Removed, 1, "e", "told", "mina", "s1"),
            edge(ChangeKind::Added, 1, "e", "wrote", "mina", "c1"),
            edge(ChangeKind::Added, 1, "e", "likes", "jun", "s1"),
            vertex(1, "no file can name it", "visibility", Some("private")),
        ] {
            assert_eq!(of(other.clone()), None, "{other:?}");
        }
    }

    #[test]
    fn pass_has_the_pages_of_each_author_and_is_repeated_once() {
        let authors = BTreeSet::from(["jun".to_owned(), "mina".to_owned()]);
        let mut left = vec![("mina", None), ("jun", None), ("mina", None), ("jun", None), ("jun", Some("k1"))];
        let (mut page, mut passes) = (StoryPage::first(post("s1")), 1);
        while let Some((author, after)) = left.pop() {
            assert_eq!(page.author(&authors).map(String::as_str), Some(author));
            match page.next(&authors, author, after.map(str::to_owned)) {
                Some(NextPage::Page(next)) => page = next,
                Some(NextPage::SecondPass(next)) => (page, passes) = (next, passes + 1),
                None => assert_eq!(left, [], "too early"),
            }
        }
        assert_eq!(passes, 2);
        // The author of the page was removed, and then the others.
        assert_eq!(page.author(&BTreeSet::from(["sora".to_owned()])).map(String::as_str), Some("sora"));
        assert_eq!(page.author(&BTreeSet::from(["ara".to_owned()])), None);
    }

    #[test]
    fn messages_are_small_and_readable() {
        let item = MediaId::of_key("photo/mina/a");
        let json = |message: &StoryFiles| serde_json::to_string(message).expect("JSON");
        let first = StoryFiles::Story(StoryPage::first(post("s1")));
        assert_eq!(json(&first), r#"{"type":"app.iyagi.story.files","story":"s1"}"#);
        let file = StoryFiles::File { item };
        assert_eq!(json(&file), format!(r#"{{"type":"app.iyagi.story.file","item":"{item}"}}"#));
    }

    proptest! {
        #[test]
        fn malformed_message_is_parsed_or_rejected(text in malformed_inputs::documents(&[
            r#"{"type":"app.iyagi.story.files","story":"s1","author":"mina","after":"k","number":3,"is_second":true}"#,
            r#"{"type":"app.iyagi.story.file","item":"1BXGRWP28YE5BMJM4Y6AMW46T0"}"#,
        ])) {
            if let Ok(message) = serde_json::from_str::<StoryFiles>(&text) {
                let json = serde_json::to_string(&message).expect("JSON");
                prop_assert_eq!(serde_json::from_str::<StoryFiles>(&json).expect("a message"), message);
            }
        }
    }
}
