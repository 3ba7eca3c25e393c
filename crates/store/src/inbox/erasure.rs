use function_kit::failure::Failure;

use super::{
    row::{GROUP_PREFIX, Holder, USER_PREFIX, key, required, user_partition},
    table::InboxTable,
};
use crate::attribute::{Attributes, get_text, text};

/// What becomes of a row when a person is erased.
#[derive(Debug, PartialEq, Eq)]
enum Erased<'a> {
    /// A row of the person.
    Row,
    /// A group of this user, with entries about the person.
    Group { user: &'a str, rule: &'a str, group: &'a str },
    /// A row of others.
    Nothing,
}

impl InboxTable {
    /// Deletes what a page of the table holds about `person`: the groups of the person, and entries in those of others. The
    /// page has up to `limit` rows and starts after the row `after`: partition and sort key. Returns the row after which
    /// the next page starts.
    pub async fn erase_page(
        &self,
        person: &str,
        after: Option<(&str, &str)>,
        limit: i32,
    ) -> Result<Option<(String, String)>, Failure> {
        let scan = self
            .client
            .scan()
            .table_name(&self.name)
            .limit(limit)
            .set_exclusive_start_key(after.map(|(pk, sk)| key(pk.to_owned(), sk.to_owned())))
            .projection_expression("pk, sk, #rule, recipient")
            .filter_expression("pk = :own OR recipient = :person OR contains(content, :person)")
            .expression_attribute_names("#rule", "rule")
            .expression_attribute_values(":own", text(user_partition(person)))
            .expression_attribute_values(":person", text(person));
        let response = scan.send().await.map_err(|error| Failure::aws("read a page of the inbox", error))?;
        for row in response.items.unwrap_or_default() {
            match erased(&row, person)? {
                Erased::Row => self.delete_row(&row).await?,
                Erased::Group { user, rule, group } => {
                    self.erase_entries(
                        Holder { recipient: user.into(), rule: rule.into(), group: group.into() },
                        person,
                    )
                    .await?;
                }
                Erased::Nothing => {}
            }
        }
        let last = response.last_evaluated_key;
        Ok(last.and_then(|key| Some((get_text(&key, "pk")?.to_owned(), get_text(&key, "sk")?.to_owned()))))
    }

    /// Removes the entries about `person` from a group of another. Their edges get tombstones first (those of stories have no row for one), so that no late event
    /// adds them again: the graph may have been reset, and then says no more that they are removed.
    async fn erase_entries(&self, holder: Holder, person: &str) -> Result<(), Failure> {
        let Holder { recipient, rule, group } = &holder;
        let (stored, _) = self.read(recipient, rule, group).await?;
        for entry in stored.group.about(person) {
            self.withdraw_holder(&entry.edge, &holder, entry.position).await?;
        }
        self.change(recipient, rule, group, |group| group.remove_about(person)).await.map(drop)
    }

    async fn delete_row(&self, row: &Attributes) -> Result<(), Failure> {
        let key = key(required(row, "pk")?.to_owned(), required(row, "sk")?.to_owned());
        let delete = self.client.delete_item().table_name(&self.name).set_key(Some(key));
        delete.send().await.map(drop).map_err(|error| Failure::aws("delete a row of the inbox", error))
    }
}

fn erased<'a>(row: &'a Attributes, person: &str) -> Result<Erased<'a>, Failure> {
    let (pk, sk) = (required(row, "pk")?, required(row, "sk")?);
    if get_text(row, "recipient") == Some(person) || pk == user_partition(person) {
        return Ok(Erased::Row);
    }
    match (pk.strip_prefix(USER_PREFIX), sk.strip_prefix(GROUP_PREFIX)) {
        (Some(user), Some(group)) => Ok(Erased::Group { user, rule: required(row, "rule")?, group }),
        _ => Ok(Erased::Nothing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::row;

    #[test]
    fn own_rows_are_deleted_and_groups_of_others_are_changed() {
        let stored = |pk: &str, sk: &str, recipient: Option<&str>| {
            let mut stored = row([("pk", text(pk)), ("sk", text(sk)), ("rule", text("follow"))]);
            stored.extend(recipient.map(|recipient| ("recipient".to_owned(), text(recipient))));
            stored
        };
        let of = |pk, sk, recipient| format!("{:?}", erased(&stored(pk, sk, recipient), "mina").expect("readable"));
        assert_eq!(of("user#mina", "group#follow:jun", None), "Row");
        assert_eq!(of("edge#e1", "to#follow#mina", Some("mina")), "Row");
        let group = r#"Group { user: "jun", rule: "follow", group: "follow:mina" }"#;
        assert_eq!(of("user#jun", "group#follow:mina", None), group);
        assert_eq!(of("edge#mina", "to#follow#jun", Some("jun")), "Nothing");
    }
}
