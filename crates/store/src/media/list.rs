//! Lists of an owner's items and the indexes that hold them.

use domain::media::{Kind, MediaId, MediaItem, Post, Relation, Visibility};
use jiff::Timestamp;

/// A list of one owner's items, as a caller with this relation to the owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// The owner of the items.
    pub owner: String,
    /// The items to list.
    pub selection: Selection,
    /// The caller's relation to the owner.
    pub relation: Relation,
    /// The order of the items.
    pub order: Order,
}

/// A selection of an owner's items.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Selection {
    /// All items.
    All,
    /// The items of this kind.
    Kind(Kind),
    /// The items in this post.
    Post(Post),
}

/// An order by the time of upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// Newest first.
    Newest,
    /// Oldest first.
    Oldest,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// At most as many as requested.
    pub items: Vec<MediaItem>,
    /// The sort key after which the next page starts, if there is one.
    pub next: Option<SortKey>,
}

/// The sort key of an item in every list: unique, and ordered by upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey(pub String);

impl SortKey {
    pub(super) fn of(id: MediaId, uploaded_at: Timestamp) -> Self {
        // Times have a fixed width, so texts sort like times. The id makes the key unique.
        Self(format!("{uploaded_at:.3}#{id}"))
    }
}

impl Selection {
    /// The index for this selection and relation; its partition key has the same name. It holds only items that the
    /// relation may see, so that nothing has to be filtered after the query.
    pub(super) fn index(&self, relation: Relation) -> &'static str {
        match (self, relation) {
            (Self::All, Relation::Owner) => "all_for_owner",
            (Self::All, Relation::Follower) => "all_for_followers",
            (Self::All, Relation::Stranger) => "all_for_anyone",
            (Self::Kind(_), Relation::Owner) => "kind_for_owner",
            (Self::Kind(_), Relation::Follower) => "kind_for_followers",
            (Self::Kind(_), Relation::Stranger) => "kind_for_anyone",
            (Self::Post(_), Relation::Owner) => "post_for_owner",
            (Self::Post(_), Relation::Follower) => "post_for_followers",
            (Self::Post(_), Relation::Stranger) => "post_for_anyone",
        }
    }

    /// The partition key of this selection of `owner`'s items. Kinds and posts contain no `#`.
    pub(super) fn key(&self, owner: &str) -> String {
        match self {
            Self::All => owner.to_owned(),
            Self::Kind(kind) => format!("{kind}#{owner}"),
            Self::Post(post) => format!("{}#{owner}", post.as_str()),
        }
    }
}

/// The indexes that an item is in, each with the item's partition key.
pub(super) fn index_keys(
    owner: &str,
    kind: Kind,
    post: Option<&Post>,
    visibility: Visibility,
) -> Vec<(&'static str, String)> {
    let mut selections = vec![Selection::All, Selection::Kind(kind)];
    selections.extend(post.cloned().map(Selection::Post));
    let relations = || Relation::ALL.into_iter().filter(|relation| relation.may_see(visibility));
    selections
        .iter()
        .flat_map(|selection| relations().map(|relation| (selection.index(relation), selection.key(owner))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_is_only_in_indexes_of_relations_that_may_see_it() {
        let indexes = |visibility| -> Vec<_> {
            let keys = index_keys("mina", Kind::Photo, None, visibility);
            keys.into_iter().map(|(index, _)| index).collect()
        };
        assert_eq!(
            indexes(Visibility::Public),
            [
                "all_for_owner",
                "all_for_followers",
                "all_for_anyone",
                "kind_for_owner",
                "kind_for_followers",
                "kind_for_anyone"
            ]
        );
        assert_eq!(
            indexes(Visibility::Followers),
            ["all_for_owner", "all_for_followers", "kind_for_owner", "kind_for_followers"]
        );
        assert_eq!(indexes(Visibility::Private), ["all_for_owner", "kind_for_owner"]);
        let post = "p1".to_owned().try_into().expect("a post");
        let keys = index_keys("mina", Kind::Audio, Some(&post), Visibility::Private);
        assert_eq!(keys[1..], [("kind_for_owner", "audio#mina".to_owned()), ("post_for_owner", "p1#mina".to_owned())]);
    }
}
