//! Who is what to whom, for all APIs that show one person's things to another.

use std::collections::{BTreeSet, HashMap};

use domain::{
    media::Relation,
    push::{self, Pair, Registers, Row, follows},
};
use function_kit::failure::Failure;

use crate::audience::AudienceTable;

/// Who is what to whom: what `push-fanout` keeps of the graph, read only, and as late as it is.
#[derive(Debug, Clone)]
pub struct Relations {
    /// The table.
    pub audience: AudienceTable,
}

impl Relations {
    /// What `caller` is to `owner`: no call if they are the same, else one.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn of(&self, caller: &str, owner: &str) -> Result<Relation, Failure> {
        let mut relations = self.among(caller, &BTreeSet::from([owner])).await?;
        Ok(relations.remove(owner).unwrap_or(Relation::Stranger))
    }

    /// What `caller` is to each of `owners`: one call for up to 50 of them.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn among<'a>(
        &self,
        caller: &str,
        owners: &BTreeSet<&'a str>,
    ) -> Result<HashMap<&'a str, Relation>, Failure> {
        let others = || owners.iter().filter(|owner| **owner != caller);
        let rows: Vec<_> = others().flat_map(|owner| [edge(caller, owner), between(caller, owner)]).collect();
        let known = if rows.is_empty() { HashMap::new() } else { self.audience.get(&rows).await? };
        let relation = |owner: &str| {
            if owner == caller {
                return Relation::Owner;
            }
            relation(caller, known.get(&edge(caller, owner)), known.get(&between(caller, owner)))
        };
        Ok(owners.iter().map(|owner| (*owner, relation(owner))).collect())
    }
}

fn edge(caller: &str, owner: &str) -> Row {
    Row::Follower { of: owner.to_owned(), follower: caller.to_owned() }
}

fn between(caller: &str, owner: &str) -> Row {
    Row::Between(Pair::of(caller, owner))
}

/// Who follows is a follower, unless one of the two blocked the other.
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
    fn a_follower_follows_now_and_nobody_blocks() {
        let at = Position::new(7, 1);
        let edge = registers("edge#e", Register::holds(at, ""));
        let left = registers("edge#e", Register::tombstone(at));
        assert_eq!(relation("jun", None, None), Relation::Stranger);
        assert_eq!(relation("jun", Some(&edge), None), Relation::Follower);
        assert_eq!(relation("jun", Some(&left), None), Relation::Stranger);
        for who in ["jun", "mina"] {
            let blocks = registers("blocks#b", Register::holds(at, who));
            assert_eq!(relation("jun", Some(&edge), Some(&blocks)), Relation::Stranger, "{who}");
        }
        let mutes = registers("mutes#m", Register::holds(at, "jun"));
        assert_eq!(relation("jun", Some(&edge), Some(&mutes)), Relation::Follower);
    }
}
