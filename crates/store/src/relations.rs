//! Relations between persons, for every API that shows one person's content to another.

use std::collections::{BTreeSet, HashMap};

use domain::{
    media::Relation,
    push::{self, PersonPair, Registers, Row, follows},
};
use function_kit::failure::Failure;

use crate::audience::AudienceTable;

/// Reads how a caller is related to an owner. The source is `audience`, so a result is as old as the last
/// change that `push-fanout` has processed.
#[derive(Debug, Clone)]
pub struct Relations {
    /// The table.
    pub audience: AudienceTable,
}

impl Relations {
    /// The relation of `caller` to `owner`. One request, or none if they are the same.
    pub async fn of(&self, caller: &str, owner: &str) -> Result<Relation, Failure> {
        let mut relations = self.among(caller, &BTreeSet::from([owner])).await?;
        Ok(relations.remove(owner).unwrap_or(Relation::Stranger))
    }

    /// The relation of `caller` to each of `owners`. One request for up to 50 of them.
    pub async fn among<'a>(
        &self,
        caller: &str,
        owners: &BTreeSet<&'a str>,
    ) -> Result<HashMap<&'a str, Relation>, Failure> {
        let others = || owners.iter().filter(|owner| **owner != caller);
        let rows: Vec<_> = others().flat_map(|owner| [edge(caller, owner), between(caller, owner)]).collect();
        let found = if rows.is_empty() { HashMap::new() } else { self.audience.get(&rows).await? };
        let relation = |owner: &str| {
            if owner == caller {
                return Relation::Owner;
            }
            relation(caller, found.get(&edge(caller, owner)), found.get(&between(caller, owner)))
        };
        Ok(owners.iter().map(|owner| (*owner, relation(owner))).collect())
    }
}

fn edge(caller: &str, owner: &str) -> Row {
    Row::Follower { of: owner.to_owned(), follower: caller.to_owned() }
}

fn between(caller: &str, owner: &str) -> Row {
    Row::PersonPair(PersonPair::of(caller, owner))
}

/// A caller who follows the owner is a follower, unless one of the two has blocked the other.
fn relation(caller: &str, edge: Option<&Registers>, between: Option<&Registers>) -> Relation {
    let blocked = between.is_some_and(|between| push::Relation::of(caller, between).blocked);
    if !blocked && edge.is_some_and(follows) { Relation::Follower } else { Relation::Stranger }
}

#[cfg(test)]
mod tests {
    use domain::{graph::Position, push::Register};

    use super::*;

    fn registers(name: &str, register: Register) -> Registers {
        Registers::from([(name.to_owned(), register)])
    }

    #[test]
    fn follower_is_a_follower_unless_one_blocks_the_other() {
        let at = Position::new(7, 1);
        let follows = registers("edge#e", Register::new(at, ""));
        let unfollowed = registers("edge#e", Register::tombstone(at));
        assert_eq!(relation("jun", None, None), Relation::Stranger);
        assert_eq!(relation("jun", Some(&follows), None), Relation::Follower);
        assert_eq!(relation("jun", Some(&unfollowed), None), Relation::Stranger);
        for who in ["jun", "mina"] {
            let blocks = registers("blocks#b", Register::new(at, who));
            assert_eq!(relation("jun", Some(&follows), Some(&blocks)), Relation::Stranger, "{who}");
        }
        let mutes = registers("mutes#m", Register::new(at, "jun"));
        assert_eq!(relation("jun", Some(&follows), Some(&mutes)), Relation::Follower);
    }
}
