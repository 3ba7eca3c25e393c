//! Who may see files.

use std::collections::{BTreeMap, BTreeSet};

use super::Executed;
use crate::operation::Operation;

/// An upload.
struct File {
    owner: usize,
    story: Option<usize>,
    /// The visibilities that it may have, unless its story decides.
    possible: BTreeSet<&'static str>,
}

/// A story of the graph, or one whose removal is perhaps not processed yet.
struct Story {
    author: usize,
    is_removed: bool,
    /// `None` until it is set. A removed one means private.
    visibility: Option<&'static str>,
}

/// The visibilities that each upload may have in the end. The graph decides about a file of a story that the file's owner
/// has published, as soon as the story's visibility is set. When the story is removed, the file keeps the visibility that
/// it has then, which may be an earlier one.
pub fn visibilities(history: &[Executed]) -> BTreeMap<usize, BTreeSet<&'static str>> {
    let (mut files, mut stories) = (BTreeMap::<usize, File>::new(), BTreeMap::<usize, Story>::new());
    for executed in history {
        match executed.operation {
            Operation::UploadPhotograph { person, file, story, visibility, .. } => {
                files.insert(file, File { owner: person, story, possible: BTreeSet::from([visibility]) });
            }
            Operation::UploadSound { person, file, .. } => {
                files.insert(file, File { owner: person, story: None, possible: BTreeSet::from(["public"]) });
            }
            Operation::SetFileVisibility { file, visibility } => {
                if let Some(file) = files.get_mut(&file) {
                    if file.story.is_none() {
                        file.possible.clear();
                    }
                    file.possible.insert(visibility);
                }
            }
            Operation::PublishStory { author, story } => {
                stories.insert(story, Story { author, is_removed: false, visibility: None });
            }
            Operation::SetVisibility { story, visibility } => {
                if let Some(story) = stories.get_mut(&story) {
                    story.visibility = Some(visibility.unwrap_or("private"));
                }
            }
            Operation::UnpublishStory { story, .. } | Operation::RemoveStory { story } => {
                stories.entry(story).and_modify(|story| story.is_removed = true);
            }
            Operation::Erase { stories: ref removed, .. } => stories.retain(|story, _| !removed.contains(story)),
            Operation::Reset => stories.clear(),
            _ => {}
        }
        if executed.settled {
            stories.retain(|_, story| !story.is_removed);
        }
        for file in files.values_mut() {
            file.possible.extend(decided(file, &stories));
        }
    }
    stories.retain(|_, story| !story.is_removed);
    let allowed = |file: &File| decided(file, &stories).map_or_else(|| file.possible.clone(), |one| [one].into());
    files.iter().map(|(number, file)| (*number, allowed(file))).collect()
}

/// The visibility that the graph gives the file; `None` if its owner decides.
fn decided(file: &File, stories: &BTreeMap<usize, Story>) -> Option<&'static str> {
    let story = stories.get(&file.story?).filter(|story| story.author == file.owner)?;
    story.visibility
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::executed;

    const PUBLISH: Operation = Operation::PublishStory { author: 1, story: 0 };

    fn upload(person: usize, story: Option<usize>) -> Operation {
        Operation::UploadPhotograph { person, file: 0, photograph: 0, story, visibility: "followers" }
    }

    fn set(visibility: Option<&'static str>) -> Operation {
        Operation::SetVisibility { story: 0, visibility }
    }

    fn after<const N: usize>(history: [Operation; N]) -> Vec<&'static str> {
        let file = visibilities(&executed(history.to_vec())).remove(&0).expect("a file");
        file.into_iter().collect()
    }

    #[test]
    fn file_without_story_has_the_visibility_that_its_owner_set_last() {
        let by_owner = |visibility| Operation::SetFileVisibility { file: 0, visibility };
        assert_eq!(after([upload(1, None)]), ["followers"]);
        assert_eq!(after([upload(1, None), by_owner("public"), by_owner("private")]), ["private"]);
    }

    #[test]
    fn story_of_the_owner_decides_and_that_of_another_does_not() {
        for file in [upload(1, Some(0)), upload(2, Some(0))] {
            assert_eq!(after([PUBLISH, file.clone()]), ["followers"], "the graph says nothing");
        }
        assert_eq!(after([PUBLISH, upload(1, Some(0)), set(Some("public"))]), ["public"]);
        assert_eq!(after([PUBLISH, set(Some("public")), set(None), upload(1, Some(0))]), ["private"]);
        assert_eq!(after([PUBLISH, upload(2, Some(0)), set(Some("public"))]), ["followers"]);
    }

    #[test]
    fn file_keeps_a_visibility_of_its_removed_story() {
        let unpublish = Operation::UnpublishStory { author: 1, story: 0 };
        for end in [unpublish, Operation::RemoveStory { story: 0 }, Operation::Reset] {
            assert_eq!(after([PUBLISH, upload(1, Some(0)), set(Some("public")), end]), ["followers", "public"]);
        }
    }

    #[test]
    fn file_may_get_the_visibility_of_a_story_whose_removal_is_not_processed() {
        let hidden = [PUBLISH, set(None), Operation::RemoveStory { story: 0 }];
        let [publish, hide, remove] = hidden;
        let late = [publish.clone(), hide.clone(), remove.clone(), upload(1, Some(0))];
        assert_eq!(after(late), ["followers", "private"]);
        assert_eq!(after([publish, hide, remove, Operation::Settle, upload(1, Some(0))]), ["followers"]);
    }
}
