use super::{MediaItem, State, Visibility};

/// Relation of a caller to the owner of an item. Each sees all that the next one sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// The caller is the owner.
    Owner,
    /// The caller follows the owner.
    Follower,
    /// Anyone else.
    Stranger,
}

impl Relation {
    /// All of them, the closest first.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Follower, Self::Stranger];

    /// Whether a caller of this relation may see items of this visibility.
    pub fn may_see(self, visibility: Visibility) -> bool {
        match visibility {
            Visibility::Public => true,
            Visibility::Followers => self != Self::Stranger,
            Visibility::Private => self == Self::Owner,
        }
    }
}

impl MediaItem {
    /// Whether `caller` may see the item; `None` if that depends on whether they follow the owner. Deleted
    /// items are visible to no caller, items that were taken down only to their owner.
    pub fn is_visible_to(&self, caller: &str) -> Option<bool> {
        if matches!(self.state, State::TakenDown(..)) {
            return Some(self.owner == caller);
        }
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
    use crate::{
        media::{Declared, Intent, ObjectChange, ObjectEvent, ObjectVersion, Original, Sequencer},
        user_report::ReportReason,
    };

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
        let event = event(ObjectChange::Created { size: 1, version: ObjectVersion::of_etag("") });
        MediaItem::processing(Original::of(&event, 1, declared).expect("owned"))
    }

    #[test]
    fn relations_see_their_visibilities() {
        let visible = |relation: Relation| ALL.map(|visibility| relation.may_see(visibility));
        assert_eq!(visible(Relation::Owner), [true, true, true]);
        assert_eq!(visible(Relation::Follower), [true, true, false]);
        assert_eq!(visible(Relation::Stranger), [true, false, false]);
    }

    #[test]
    fn visibility_depends_on_following_for_followers_items_only() {
        assert_eq!(ALL.map(|visibility| item(visibility).is_visible_to("mina")), [Some(true); 3]);
        assert_eq!(ALL.map(|visibility| item(visibility).is_visible_to("jun")), [Some(true), None, Some(false)]);
    }

    #[test]
    fn item_that_was_taken_down_is_visible_to_its_owner_only() {
        for visibility in ALL {
            let item = item(visibility).taken_down(ReportReason::Spam);
            assert_eq!(["mina", "jun"].map(|caller| item.is_visible_to(caller)), [Some(true), Some(false)]);
        }
    }

    #[test]
    fn deleted_item_is_visible_to_no_caller() {
        let deleted = MediaItem::deleted(&event(ObjectChange::Removed)).expect("owned");
        assert_eq!(deleted.is_visible_to("mina"), Some(false));
        assert_eq!(deleted.is_visible_to("jun"), Some(false));
    }
}
