use super::{MediaId, Sequencer, Visibility};

/// The folder, within a generation, of what everybody may see.
const OPEN: &str = "open";

/// Where a file made from a picture lies: `<id>/<sequencer>/<width>x<height>-<hash>.<extension>`, or
/// `<id>/<sequencer>/open/…` if everybody may see it.
///
/// The hash makes a key immutable: other content has another key, so caches never go stale. The
/// sequencer makes leftovers recognisable: whoever finds a newer one may delete what is older. The
/// visibility is in the key because that is all that a cache at the edge knows of a file. An item's
/// visibility is part of its original, so another one is another generation, with other keys.
pub fn derived_key(
    id: MediaId,
    sequencer: &Sequencer,
    visibility: Visibility,
    (width, height): (u32, u32),
    hash: &str,
    extension: &str,
) -> String {
    key(id, sequencer, visibility, &format!("{width}x{height}-{hash}.{extension}"))
}

/// Where a file made from a recording lies, in the same layout as those of [`derived_key`]:
/// `<id>/<sequencer>/<hash>.<extension>`.
pub fn sound_key(id: MediaId, sequencer: &Sequencer, visibility: Visibility, hash: &str, extension: &str) -> String {
    key(id, sequencer, visibility, &format!("{hash}.{extension}"))
}

fn key(id: MediaId, sequencer: &Sequencer, visibility: Visibility, name: &str) -> String {
    match visibility {
        Visibility::Public => format!("{id}/{sequencer}/{OPEN}/{name}"),
        Visibility::Followers | Visibility::Private => format!("{id}/{sequencer}/{name}"),
    }
}

/// Whether everybody may fetch what lies at this derived key.
pub fn is_open(key: &str) -> bool {
    // A file of that name would have nothing behind it.
    let mut rest = key.split('/').skip(2);
    rest.next() == Some(OPEN) && rest.next().is_some()
}

/// The generation that a derived key belongs to, as a prefix: `<id>/<sequencer>/`.
pub fn generation_prefix(key: &str) -> Option<&str> {
    generation(key)?;
    let (end, _) = key.match_indices('/').nth(1)?;
    key.get(..=end)
}

/// A file that stands for a generation whose files are being taken away, until caches have been told.
///
/// It is written before and deleted after: should the work break off in between, the next try finds
/// it, of the same generation as what it stands for, and tells the caches then.
pub fn invalidation_marker_key(key: &str) -> Option<String> {
    generation_prefix(key).map(|prefix| format!("{prefix}gone"))
}

/// The prefix of everything made from an item.
pub fn derived_prefix(id: MediaId) -> String {
    format!("{id}/")
}

/// Which of an item's derived files are to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CleanupScope<'a> {
    /// The original lives: all but the newest generation goes.
    Superseded,
    /// The original of this generation is gone: it goes, and everything before it.
    UpTo(&'a Sequencer),
}

/// Chooses among the `keys` of one item those that `sweep` is after.
///
/// Keys that are not of the layout of [`derived_key`] are left alone.
pub fn swept<'k>(keys: &'k [String], sweep: CleanupScope<'_>) -> Vec<&'k str> {
    let newest = keys.iter().filter_map(|key| generation(key)).max();
    keys.iter()
        .filter(|key| match (generation(key), sweep) {
            (None, _) => false,
            (Some(generation), CleanupScope::Superseded) => Some(generation) < newest,
            (Some(generation), CleanupScope::UpTo(last)) => generation <= last.as_str(),
        })
        .map(String::as_str)
        .collect()
}

/// The sequencer in a derived key. Padded to one width, so that text order is the right one.
fn generation(key: &str) -> Option<&str> {
    let mut segments = key.split('/');
    segments.next()?;
    let generation = segments.next()?;
    segments.next()?;
    let sequencer = Sequencer::parse(generation).ok()?;
    (sequencer.as_str() == generation).then_some(generation)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(sequencer: &str, hash: &str) -> String {
        let sequencer = Sequencer::parse(sequencer).expect("a sequencer");
        derived_key(MediaId::of_key("photo/mina/a.jpg"), &sequencer, Visibility::Private, (128, 96), hash, "webp")
    }

    #[test]
    fn the_newest_generation_stays() {
        let keys = [key("0A", "1"), key("0B", "2"), key("0B", "3"), "elsewhere".to_owned()];
        assert_eq!(swept(&keys, CleanupScope::Superseded), [&keys[0]]);
        assert!(swept(&[], CleanupScope::Superseded).is_empty());
    }

    #[test]
    fn a_deletion_takes_its_own_generation_and_the_older_ones() {
        let keys = [key("0A", "1"), key("0B", "2"), key("0C", "3")];
        let gone = Sequencer::parse("0B").expect("a sequencer");
        assert_eq!(swept(&keys, CleanupScope::UpTo(&gone)), [&keys[0], &keys[1]]);
    }

    #[test]
    fn everything_of_an_item_lies_under_its_prefix() {
        assert!(key("0A", "1").starts_with(&derived_prefix(MediaId::of_key("photo/mina/a.jpg"))));
    }

    #[test]
    fn only_what_is_public_is_open() {
        let id = MediaId::of_key("photo/mina/a.jpg");
        let sequencer = Sequencer::parse("0B").expect("a sequencer");
        for (visibility, open) in
            [(Visibility::Public, true), (Visibility::Followers, false), (Visibility::Private, false)]
        {
            for key in [
                derived_key(id, &sequencer, visibility, (128, 96), "1", "webp"),
                sound_key(id, &sequencer, visibility, "1", "m4a"),
            ] {
                assert_eq!(is_open(&key), open, "{key}");
                assert_eq!(generation_prefix(&key), Some(format!("{id}/{sequencer}/").as_str()));
                assert_eq!(swept(std::slice::from_ref(&key), CleanupScope::UpTo(&sequencer)), [&key]);
            }
        }
        // A name is no folder.
        assert!(!is_open("a/b/open"));
        assert!(!is_open("a/b/c/open/d"));
    }

    #[test]
    fn a_farewell_is_swept_like_what_it_stands_for() {
        let (old, new) = (key("0A", "1"), key("0B", "2"));
        let farewell = invalidation_marker_key(&old).expect("a key");
        assert!(!is_open(&farewell));
        let keys = [farewell, new];
        assert_eq!(swept(&keys, CleanupScope::Superseded), [&keys[0]]);
        assert_eq!(invalidation_marker_key("elsewhere"), None);
    }
}
