use super::{MediaId, Sequencer};

/// Where the files made from an item lie: `<id>/<sequencer>/<width>x<height>-<hash>.<extension>`.
///
/// The hash makes a key immutable: other content has another key, so caches never go stale. The
/// sequencer makes leftovers recognisable: whoever finds a newer one may delete what is older.
pub fn derived_key(
    id: MediaId,
    sequencer: &Sequencer,
    (width, height): (u32, u32),
    hash: &str,
    extension: &str,
) -> String {
    format!("{id}/{sequencer}/{width}x{height}-{hash}.{extension}")
}

/// The prefix of everything made from an item.
pub fn derived_prefix(id: MediaId) -> String {
    format!("{id}/")
}

/// Which of an item's derived files are to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweep<'a> {
    /// The original lives: all but the newest generation goes.
    Superseded,
    /// The original of this generation is gone: it goes, and everything before it.
    UpTo(&'a Sequencer),
}

/// Chooses among the `keys` of one item those that `sweep` is after.
///
/// Keys that are not of the layout of [`derived_key`] are left alone.
pub fn swept<'k>(keys: &'k [String], sweep: Sweep<'_>) -> Vec<&'k str> {
    let newest = keys.iter().filter_map(|key| generation(key)).max();
    keys.iter()
        .filter(|key| match (generation(key), sweep) {
            (None, _) => false,
            (Some(generation), Sweep::Superseded) => Some(generation) < newest,
            (Some(generation), Sweep::UpTo(last)) => generation <= last.as_str(),
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
        derived_key(MediaId::of_key("photo/mina/a.jpg"), &sequencer, (128, 96), hash, "webp")
    }

    #[test]
    fn the_newest_generation_stays() {
        let keys = [key("0A", "1"), key("0B", "2"), key("0B", "3"), "elsewhere".to_owned()];
        assert_eq!(swept(&keys, Sweep::Superseded), [&keys[0]]);
        assert!(swept(&[], Sweep::Superseded).is_empty());
    }

    #[test]
    fn a_deletion_takes_its_own_generation_and_the_older_ones() {
        let keys = [key("0A", "1"), key("0B", "2"), key("0C", "3")];
        let gone = Sequencer::parse("0B").expect("a sequencer");
        assert_eq!(swept(&keys, Sweep::UpTo(&gone)), [&keys[0], &keys[1]]);
    }

    #[test]
    fn everything_of_an_item_lies_under_its_prefix() {
        assert!(key("0A", "1").starts_with(&derived_prefix(MediaId::of_key("photo/mina/a.jpg"))));
    }
}
