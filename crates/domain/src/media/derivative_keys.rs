use super::{MediaId, Sequencer, Visibility};

/// Folder, within a generation, of the files of public items.
const PUBLIC_FOLDER: &str = "open";

/// Name of an invalidation marker, before its nonce. The names of files are hexadecimal or begin with a size.
const MARKER: &str = "gone";

/// Key of a variant, that is a file made from a picture:
/// `<id>/<sequencer>/<width>x<height>-<hash>.<extension>`, or `<id>/<sequencer>/open/…` if the item is
/// public.
///
/// - The hash makes a key immutable. Other content has another key, so caches are never stale.
/// - The sequencer is the generation. Files of an older generation than the newest may be deleted.
/// - The visibility is in the key because CloudFront sees nothing else of a file. Visibility is part of
///   the original, so a change of it makes a new generation with new keys.
pub fn variant_key(
    id: MediaId,
    sequencer: &Sequencer,
    visibility: Visibility,
    (width, height): (u32, u32),
    hash: &str,
    extension: &str,
) -> String {
    key(id, sequencer, visibility, &format!("{width}x{height}-{hash}.{extension}"))
}

/// Key of a file made from a recording: `<id>/<sequencer>/<hash>.<extension>`, otherwise like
/// [`variant_key`].
pub fn sound_key(id: MediaId, sequencer: &Sequencer, visibility: Visibility, hash: &str, extension: &str) -> String {
    key(id, sequencer, visibility, &format!("{hash}.{extension}"))
}

fn key(id: MediaId, sequencer: &Sequencer, visibility: Visibility, name: &str) -> String {
    match visibility {
        Visibility::Public => format!("{id}/{sequencer}/{PUBLIC_FOLDER}/{name}"),
        Visibility::Followers | Visibility::Private => format!("{id}/{sequencer}/{name}"),
    }
}

/// Whether the key is one that [`variant_key`] or [`sound_key`] give for a file of this generation and visibility.
pub(super) fn is_file_of(candidate: &str, id: MediaId, sequencer: &Sequencer, visibility: Visibility) -> bool {
    let Some(name) = candidate.strip_prefix(&key(id, sequencer, visibility, "")) else { return false };
    // No slash, so a file of a public item has no other visibility's key, and no character that has a meaning in a CDN path.
    let is_named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(is_named)
        && !is_invalidation_marker(candidate)
}

/// Whether the derivative at this key is public.
pub fn is_public_key(key: &str) -> bool {
    // The folder counts, not a file named `open`.
    let mut rest = key.split('/').skip(2);
    rest.next() == Some(PUBLIC_FOLDER) && rest.next().is_some()
}

/// Prefix of a key's generation: `<id>/<sequencer>/`.
pub fn generation_prefix(key: &str) -> Option<&str> {
    generation(key)?;
    let (end, _) = key.match_indices('/').nth(1)?;
    key.get(..=end)
}

/// Key of an invalidation marker of a key's generation: an empty object that exists while a CDN
/// invalidation is still owed for deleted files of the generation.
///
/// The marker is written before the deletion and deleted after the invalidation. If the work stops in
/// between, the next attempt finds the marker and invalidates. Each attempt has its own `nonce`, so that
/// no attempt deletes a marker on which another one relies.
pub fn invalidation_marker_key(key: &str, nonce: &str) -> Option<String> {
    generation_prefix(key).map(|prefix| format!("{prefix}{MARKER}-{nonce}"))
}

/// Whether the key is that of an invalidation marker. Markers of an earlier version have no nonce.
pub fn is_invalidation_marker(key: &str) -> bool {
    let name = generation_prefix(key).and_then(|prefix| key.strip_prefix(prefix)).unwrap_or_default();
    name == MARKER || name.strip_prefix(MARKER).is_some_and(|rest| rest.starts_with('-') && !rest.contains('/'))
}

/// Prefix of all derivatives of an item.
pub fn item_prefix(id: MediaId) -> String {
    format!("{id}/")
}

/// Selects derivatives of an item for deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CleanupScope<'a> {
    /// All generations but the newest. The original exists.
    Superseded,
    /// This generation and all older ones. Its original was deleted or replaced.
    UpTo(&'a Sequencer),
    /// All generations. The item was taken down.
    All,
    /// All generations before this one, whose original cannot be processed. Another attempt may have made files of it.
    Before(&'a Sequencer),
}

/// The keys of one item that are in `scope`. Keys of another layout than [`variant_key`]'s are never in
/// it.
pub fn keys_to_delete<'k>(keys: &'k [String], scope: CleanupScope<'_>) -> Vec<&'k str> {
    let newest = keys.iter().filter_map(|key| generation(key)).max();
    keys.iter()
        .filter(|key| match (generation(key), scope) {
            (None, _) => false,
            (Some(_), CleanupScope::All) => true,
            (Some(generation), CleanupScope::Superseded) => Some(generation) < newest,
            (Some(generation), CleanupScope::UpTo(last)) => generation <= last.as_str(),
            (Some(generation), CleanupScope::Before(next)) => generation < next.as_str(),
        })
        .map(String::as_str)
        .collect()
}

/// The sequencer in a key. It is padded to one width, so texts sort as sequencers.
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
        variant_key(MediaId::of_key("photo/mina/a.jpg"), &sequencer, Visibility::Private, (128, 96), hash, "webp")
    }

    #[test]
    fn superseded_scope_keeps_the_newest_generation() {
        let keys = [key("0A", "1"), key("0B", "2"), key("0B", "3"), "elsewhere".to_owned()];
        assert_eq!(keys_to_delete(&keys, CleanupScope::Superseded), [&keys[0]]);
        assert_eq!(keys_to_delete(&keys, CleanupScope::All), [&keys[0], &keys[1], &keys[2]]);
        assert!(keys_to_delete(&[], CleanupScope::Superseded).is_empty());
    }

    #[test]
    fn up_to_scope_has_its_generation_and_older_ones() {
        let keys = [key("0A", "1"), key("0B", "2"), key("0C", "3")];
        let deleted = Sequencer::parse("0B").expect("a sequencer");
        assert_eq!(keys_to_delete(&keys, CleanupScope::UpTo(&deleted)), [&keys[0], &keys[1]]);
    }

    #[test]
    fn before_scope_keeps_its_own_generation() {
        let keys = [key("0A", "1"), key("0B", "2"), key("0C", "3")];
        let failed = Sequencer::parse("0B").expect("a sequencer");
        assert_eq!(keys_to_delete(&keys, CleanupScope::Before(&failed)), [&keys[0]]);
    }

    #[test]
    fn keys_of_an_item_have_its_prefix() {
        assert!(key("0A", "1").starts_with(&item_prefix(MediaId::of_key("photo/mina/a.jpg"))));
    }

    #[test]
    fn only_keys_of_public_items_are_public() {
        let id = MediaId::of_key("photo/mina/a.jpg");
        let sequencer = Sequencer::parse("0B").expect("a sequencer");
        for (visibility, is_public) in
            [(Visibility::Public, true), (Visibility::Followers, false), (Visibility::Private, false)]
        {
            for key in [
                variant_key(id, &sequencer, visibility, (128, 96), "1", "webp"),
                sound_key(id, &sequencer, visibility, "1", "m4a"),
            ] {
                assert_eq!(is_public_key(&key), is_public, "{key}");
                assert_eq!(generation_prefix(&key), Some(format!("{id}/{sequencer}/").as_str()));
                assert_eq!(keys_to_delete(std::slice::from_ref(&key), CleanupScope::UpTo(&sequencer)), [&key]);
            }
        }
        // A file or a deeper folder of that name.
        assert!(!is_public_key("a/b/open"));
        assert!(!is_public_key("a/b/c/open/d"));
    }

    #[test]
    fn invalidation_marker_is_in_scope_like_its_generation() {
        let (old, new) = (key("0A", "1"), key("0B", "2"));
        let marker = invalidation_marker_key(&old, "7f").expect("a key");
        assert!(!is_public_key(&marker) && is_invalidation_marker(&marker));
        assert_ne!(Some(&marker), invalidation_marker_key(&old, "80").as_ref(), "one per attempt");
        assert!(
            !is_invalidation_marker(&old) && !is_invalidation_marker("gone") && !is_invalidation_marker("a/b/gone")
        );
        let keys = [marker, new];
        assert_eq!(keys_to_delete(&keys, CleanupScope::Superseded), [&keys[0]]);
        assert_eq!(invalidation_marker_key("elsewhere", "7f"), None);
    }
}
