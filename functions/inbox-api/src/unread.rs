use api::MAX_UNREAD;
use jiff::Timestamp;
use store::inbox::InboxPage;

use crate::view::is_read;

/// Counts the unread groups of an inbox on its pages, from the first one on: most inboxes need no query for that.
#[derive(Debug, Default)]
pub struct UnreadCount {
    unread: u32,
    is_complete: bool,
}

impl UnreadCount {
    /// Adds the next page.
    pub fn add(&mut self, page: &InboxPage, read_through: Option<Timestamp>) {
        let times = page.groups.iter().filter_map(|stored| stored.group.updated_at());
        // The latest come first.
        let unread = times.take_while(|time| !is_read(*time, read_through)).count();
        if !self.is_complete {
            self.unread = self.unread.saturating_add(u32::try_from(unread).unwrap_or(u32::MAX));
            self.is_complete = unread < page.groups.len() || page.next.is_none();
        }
    }

    /// The number of unread groups, at most [`MAX_UNREAD`]. `None` if more may follow.
    pub fn complete(&self) -> Option<u32> {
        self.is_complete.then_some(self.unread.min(MAX_UNREAD))
    }
}

#[cfg(test)]
mod tests {
    use domain::{
        graph::Position,
        push::{InboxEntry, InboxGroup},
    };
    use store::inbox::{InboxPosition, StoredGroup};

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    /// A page of groups that changed at these seconds.
    fn page(seconds: &[i64], is_last: bool) -> InboxPage {
        let group = |second: &i64| {
            let mut group = InboxGroup::default();
            group.add(InboxEntry {
                edge: "e".into(),
                position: Position::new(1, 1).into(),
                actor: "jun".into(),
                source: "jun".into(),
                target: "s1".into(),
                committed_at: at(0),
                added_at: at(*second),
            });
            StoredGroup { key: format!("like-story:{second}"), rule: "like-story".into(), group }
        };
        let next = (!is_last).then(|| InboxPosition { updated_at: String::new(), key: String::new() });
        InboxPage { groups: seconds.iter().map(group).collect(), next }
    }

    fn count(pages: &[InboxPage], read_through: Option<i64>) -> Option<u32> {
        let mut count = UnreadCount::default();
        for page in pages {
            count.add(page, read_through.map(at));
        }
        count.complete()
    }

    #[test]
    fn count_is_complete_at_the_first_read_group_or_at_the_end() {
        assert_eq!(count(&[page(&[9, 8, 7], false)], Some(8)), Some(1));
        assert_eq!(count(&[page(&[9, 8, 7], false)], Some(6)), None);
        assert_eq!(count(&[page(&[9, 8, 7], false)], None), None);
        assert_eq!(count(&[page(&[9, 8], true)], None), Some(2));
        assert_eq!(count(&[page(&[], true)], None), Some(0));
        assert_eq!(count(&[], None), None);
        // A page without a visible group may still be followed by others.
        assert_eq!(count(&[page(&[9, 8], false), page(&[7, 6], false), page(&[5], false)], Some(6)), Some(3));
    }

    #[test]
    fn count_has_an_upper_bound() {
        let seconds: Vec<_> = (0..130).rev().collect();
        assert_eq!(count(&[page(&seconds, true)], None), Some(MAX_UNREAD));
    }
}
