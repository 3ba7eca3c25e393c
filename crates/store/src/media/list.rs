use aws_sdk_dynamodb::types::AttributeValue;
use domain::media::{Kind, MediaId, MediaItem, Post, Relation, Visibility};
use function_kit::failure::Failure;
use jiff::Timestamp;

use super::{MediaTable, Projection, row};

/// A list of one owner's items, as one who has this relation to them sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Whose items.
    pub owner: String,
    /// Which of them.
    pub selection: Selection,
    /// What the one who asks is to the owner.
    pub relation: Relation,
    /// In which order.
    pub order: Order,
}

/// Which of an owner's items.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Selection {
    /// All.
    All,
    /// Those of this kind.
    Kind(Kind),
    /// Those that the owner put into this post.
    Post(Post),
}

/// By the time of upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// Newest first.
    BoundedLwwMap,
    /// Oldest first.
    Oldest,
}

/// Some of the items of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// At most as many as were asked for.
    pub items: Vec<MediaItem>,
    /// Where the next page starts, if there is one.
    pub next: Option<SortKey>,
}

/// The place of an item in every list that it is in: unique, and ordered by upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey(pub String);

impl SortKey {
    pub(super) fn of(id: MediaId, uploaded_at: Timestamp) -> Self {
        // Fixed width, so that text order is the order of time; the id makes it unique.
        Self(format!("{uploaded_at:.3}#{id}"))
    }
}

impl Selection {
    /// An item is in an index per selection and relation, and the name of the index is that of its
    /// key. The key lists only what that relation may see, so that no list has to be filtered after
    /// it was read.
    fn index(&self, relation: Relation) -> &'static str {
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

    /// The key of this selection of `owner`'s items. Neither kinds nor posts hold a `#`.
    fn key(&self, owner: &str) -> String {
        match self {
            Self::All => owner.to_owned(),
            Self::Kind(kind) => format!("{kind}#{owner}"),
            Self::Post(post) => format!("{}#{owner}", post.as_str()),
        }
    }
}

/// The indexes that an item is in, each with the item's key there.
pub(super) fn index_keys(
    owner: &str,
    kind: Kind,
    post: Option<&Post>,
    visibility: Visibility,
) -> Vec<(&'static str, String)> {
    let mut selections = vec![Selection::All, Selection::Kind(kind)];
    selections.extend(post.cloned().map(Selection::Post));
    let relations = || Relation::ALL.into_iter().filter(|relation| relation.sees(visibility));
    selections
        .iter()
        .flat_map(|selection| relations().map(|relation| (selection.index(relation), selection.key(owner))))
        .collect()
}

impl MediaTable {
    /// Up to `limit` living items of `list`, from just after `after`; eventually consistent.
    pub async fn list(
        &self,
        list: &List,
        limit: usize,
        after: Option<&SortKey>,
        detail: Projection,
    ) -> Result<Page, Failure> {
        let index = list.selection.index(list.relation);
        // One more than asked for: DynamoDB's own marker does not say that more rows follow.
        let wanted = i32::try_from(limit + 1).map_err(|error| Failure::bug("list media items", error))?;
        let (is_forward, beyond) = match list.order {
            Order::BoundedLwwMap => (false, "#list = :list AND listed_at < :after"),
            Order::Oldest => (true, "#list = :list AND listed_at > :after"),
        };
        let mut query = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(index)
            .scan_index_forward(is_forward)
            .limit(wanted)
            .key_condition_expression(if after.is_some() { beyond } else { "#list = :list" })
            .expression_attribute_names("#list", index)
            .expression_attribute_values(":list", AttributeValue::S(list.selection.key(&list.owner)));
        if let Some(SortKey(after)) = after {
            query = query.expression_attribute_values(":after", AttributeValue::S(after.clone()));
        }
        if let Some((expression, names)) = row::projection(detail) {
            query = query.projection_expression(expression);
            for (alias, name) in names {
                query = query.expression_attribute_names(alias, name);
            }
        }
        let answer = query.send().await.map_err(|error| Failure::aws("list media items", error))?;
        let rows = answer.items.unwrap_or_default();
        // A page also ends at 1 MB, before `wanted` rows.
        let more = rows.len() > limit || answer.last_evaluated_key.is_some();
        let items: Vec<_> = rows.into_iter().take(limit).map(row::from_attributes).collect::<Result<_, _>>()?;
        let place = |item: &MediaItem| Some(SortKey::of(item.id, item.state.upload()?.uploaded_at));
        let next = items.last().filter(|_| more).and_then(place);
        Ok(Page { items, next })
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{Client, operation::query::QueryOutput};
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    use super::*;

    fn post() -> Post {
        "p1".to_owned().try_into().expect("a post")
    }

    #[test]
    fn an_item_is_only_in_lists_of_those_who_may_see_it() {
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
        let keys = index_keys("mina", Kind::Audio, Some(&post()), Visibility::Private);
        assert_eq!(keys[1..], [("kind_for_owner", "audio#mina".to_owned()), ("post_for_owner", "p1#mina".to_owned())]);
    }

    #[tokio::test]
    async fn a_brief_page_names_its_index_and_its_fields_apart() {
        let query = mock!(Client::query)
            .match_requests(|request| {
                let names = request.expression_attribute_names();
                let named = |alias: &str| names.and_then(|names| names.get(alias)).map(String::as_str);
                let fields = request.projection_expression().unwrap_or_default();
                named("#list") == Some("all_for_owner")
                    && fields.split(", ").all(|alias| named(alias) == alias.strip_prefix('#'))
            })
            .then_output(|| QueryOutput::builder().build());
        let table = MediaTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&query]), "media".into());
        let (selection, relation, order) = (Selection::All, Relation::Owner, Order::BoundedLwwMap);
        let list = List { owner: "mina".into(), selection, relation, order };
        table.list(&list, 1, None, Projection::Brief).await.expect("a page");
        assert_eq!(query.num_calls(), 1);
    }

    #[tokio::test]
    async fn a_page_is_one_query_of_one_index_and_nothing_is_filtered() {
        let query = mock!(Client::query)
            .match_requests(|request| {
                let value = |name: &str| request.expression_attribute_values()?.get(name)?.as_s().ok().cloned();
                request.index_name() == Some("post_for_followers")
                    && request.filter_expression().is_none()
                    && request.scan_index_forward() == Some(true)
                    && request.key_condition_expression() == Some("#list = :list AND listed_at > :after")
                    && value(":list").as_deref() == Some("p1#mina")
                    && value(":after").as_deref() == Some("x")
                    && request.limit() == Some(2)
            })
            .then_output(|| {
                let row = |key| row::to_attributes(row::tests::landed(key)).expect("a row");
                QueryOutput::builder().items(row("photo/mina/a")).items(row("photo/mina/b")).build()
            });
        let table = MediaTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&query]), "media".into());
        let list = List {
            owner: "mina".into(),
            selection: Selection::Post(post()),
            relation: Relation::Follower,
            order: Order::Oldest,
        };
        let page = table.list(&list, 1, Some(&SortKey("x".into())), Projection::Full).await.expect("a page");
        let id = MediaId::of_key("photo/mina/a");
        assert_eq!(page.items.iter().map(|item| item.id).collect::<Vec<_>>(), [id]);
        assert_eq!(page.next, Some(SortKey(format!("2026-11-22T01:02:03.000Z#{id}"))));
        assert_eq!(query.num_calls(), 1);
    }
}
