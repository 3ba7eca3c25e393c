use super::{MediaItem, Visibility};

/// What somebody who asks is to an item's owner. Each sees all that the next one sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// They are the same.
    Owner,
    /// They follow them.
    Follower,
    /// Neither.
    Stranger,
}

impl Relation {
    /// All of them, the closest first.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Follower, Self::Stranger];

    /// Whether what has this visibility is shown to them.
    pub fn may_see(self, visibility: Visibility) -> bool {
        match visibility {
            Visibility::Public => true,
            Visibility::Followers => self != Self::Stranger,
            Visibility::Private => self == Self::Owner,
        }
    }
}

impl MediaItem {
    /// Whether `caller` may see the item, if that can be said without knowing whom they follow.
    /// Nobody sees what has been deleted.
    pub fn is_visible_to(&self, caller: &str) -> Option<bool> {
        let Some(upload) = self.state.upload() else { return Some(false) };
        let visibility = upload.declared.intent.visibility;
        if self.owner == caller {
            return Some(Relation::Owner.may_see(visibility));
        }
        let (stranger, follower) = (Relation::Stranger.may_see(visibility), Relation::Follower.may_see(visibility));
        (stranger == follower).then_some(stranger)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{Declared, Intent, ObjectChange, ObjectEvent, Original, Sequencer};

    const ALL: [Visibility; 3] = Visibility::ALL;

    fn event(change: ObjectChange) -> ObjectEvent {
        ObjectEvent {
            key: "photo/mina/a.jpg".into(),
            at: "2026-11-22T00:00:00Z".parse().expect("a time"),
            sequencer: Sequencer::parse("0A").expect("a sequencer"),
            change,
        }
    }

    fn item(visibility: Visibility) -> MediaItem {
        let declared = Declared { content_type: None, intent: Intent { visibility, ..Intent::default() } };
        let event = event(ObjectChange::Created { size: 1, etag: String::new() });
        MediaItem::processing(Original::of(&event, 1, declared).expect("owned"))
    }

    #[test]
    fn who_sees_what() {
        let seen = |relation: Relation| ALL.map(|visibility| relation.may_see(visibility));
        assert_eq!(seen(Relation::Owner), [true, true, true]);
        assert_eq!(seen(Relation::Follower), [true, true, false]);
        assert_eq!(seen(Relation::Stranger), [true, false, false]);
    }

    #[test]
    fn only_for_followers_it_matters_who_follows() {
        assert_eq!(ALL.map(|visibility| item(visibility).is_visible_to("mina")), [Some(true); 3]);
        assert_eq!(ALL.map(|visibility| item(visibility).is_visible_to("jun")), [Some(true), None, Some(false)]);
    }

    #[test]
    fn nobody_sees_the_deleted() {
        let gone = MediaItem::deleted(&event(ObjectChange::Removed)).expect("owned");
        assert_eq!(gone.is_visible_to("mina"), Some(false));
        assert_eq!(gone.is_visible_to("jun"), Some(false));
    }
}
