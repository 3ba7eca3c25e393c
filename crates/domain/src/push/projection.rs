//! What the projections' rows say.

use std::collections::BTreeMap;

use super::{Register, facts::ADDED, schema::Kind};
use crate::{
    graph::Position,
    media::Visibility,
    visibility::{self, VISIBILITY},
};

/// A row's registers by name.
pub type Registers = BTreeMap<String, Register>;

/// What is known of a vertex.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vertex {
    /// A person's name.
    pub name: Option<String>,
    /// A story's title.
    pub title: Option<String>,
    /// Who told or wrote it, the earliest first.
    pub owners: Vec<Owner>,
    /// Who may see it; `None` as long as nobody knows. See [`VisibilityFact`].
    pub seen: Option<VisibilityFact>,
}

/// Who may see a story, and since when that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VisibilityFact {
    /// Who.
    pub by: Visibility,
    /// Of the change that said so; of the vertex's addition, if nobody has ever said anything.
    pub since: Position,
}

impl VisibilityFact {
    /// Whether anybody may but its owners.
    pub fn is_shared(self) -> bool {
        self.by != Visibility::Private
    }
}

/// Somebody who told or wrote a vertex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Who.
    pub person: String,
    /// What the vertex is by that.
    pub kind: Kind,
}

impl From<&Registers> for Vertex {
    fn from(registers: &Registers) -> Self {
        let text = |name| registers.get(name).and_then(|register| register.value.clone());
        // In the order in which they became it: one or two, so that they need no sorting.
        let mut owners: Vec<(Position, Owner)> = Vec::new();
        for (_, register) in registers.iter().filter(|(name, _)| name.starts_with("owner#")) {
            if let Some(owner) = owner(register) {
                let at = owners.partition_point(|(position, _)| *position <= register.position);
                owners.insert(at, (register.position, owner));
            }
        }
        let owners = owners.into_iter().map(|(_, owner)| owner).collect();
        Self { name: text("name"), title: text("title"), owners, seen: seen(registers) }
    }
}

/// What was said of it; if nothing was, everybody, as soon as it is known that nothing was: a vertex's
/// addition says what it begins with.
fn seen(registers: &Registers) -> Option<VisibilityFact> {
    if let Some(said) = registers.get(VISIBILITY) {
        return Some(VisibilityFact { by: visibility::of(said.value.as_deref()), since: said.position });
    }
    let added = registers.get(ADDED).filter(|added| added.value.is_some())?;
    Some(VisibilityFact { by: Visibility::Public, since: added.position })
}

fn owner(register: &Register) -> Option<Owner> {
    let (label, person) = register.value.as_deref()?.split_once(' ')?;
    let kind = if label == "told" { Kind::Story } else { Kind::Comment };
    Some(Owner { person: person.to_owned(), kind })
}

/// Whether somebody followed before `position`, and still does: by one and the same edge.
pub fn followed_before(registers: &Registers, position: Position) -> bool {
    registers.values().any(|register| register.value.is_some() && register.position < position)
}

/// Whether somebody follows now, by whichever edge.
pub fn follows(registers: &Registers) -> bool {
    registers.values().any(|register| register.value.is_some())
}

/// What keeps one person's doings from another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Relation {
    /// One of them blocked the other, whichever.
    pub blocked: bool,
    /// Whoever would be told muted the other.
    pub muted: bool,
}

impl Relation {
    /// What the row between `recipient` and somebody else says.
    pub fn of(recipient: &str, registers: &Registers) -> Self {
        let mut relation = Self::default();
        for (name, register) in registers {
            let Some(from) = &register.value else { continue };
            relation.blocked |= name.starts_with("blocks#");
            relation.muted |= name.starts_with("mutes#") && from == recipient;
        }
        relation
    }
}

/// Whether an edge that was added at `position` still stands by that.
pub fn still_stands(registers: &Registers, position: Position) -> bool {
    registers.get("edge").is_some_and(|register| register.value.is_some() && register.position == position)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registers(registers: &[(&str, Register)]) -> Registers {
        registers.iter().map(|(name, register)| ((*name).to_owned(), register.clone())).collect()
    }

    fn at(commit_num: u64) -> Position {
        Position::new(commit_num, 1)
    }

    #[test]
    fn the_first_to_tell_comes_first_and_who_went_is_none() {
        let vertex = Vertex::from(&registers(&[
            ("owner#a", Register::holds(at(9), "told jun")),
            ("owner#b", Register::holds(at(3), "told mina")),
            ("owner#c", Register::tombstone(at(12))),
        ]));
        assert_eq!(vertex.owners.iter().map(|owner| owner.person.as_str()).collect::<Vec<_>>(), ["mina", "jun"]);
    }

    #[test]
    fn who_may_see_it_is_what_was_said_or_known_not_to_have_been() {
        let seen = |known: &[(&str, Register)]| Vertex::from(&registers(known)).seen.map(|seen| seen.by);
        let added = || ("added", Register::holds(at(3), ""));
        let said = |text: &str| ("visibility", Register::holds(at(5), text));
        assert_eq!(seen(&[]), None, "its addition may be on its way, and say anything");
        assert_eq!(seen(&[added()]), Some(Visibility::Public));
        assert_eq!(seen(&[("added", Register::tombstone(at(9)))]), None);
        for visibility in Visibility::ALL {
            assert_eq!(seen(&[added(), said(visibility.as_str())]), Some(visibility));
            assert_eq!(seen(&[said(visibility.as_str())]), Some(visibility));
        }
        for hidden in [said("friends"), ("visibility", Register::tombstone(at(5)))] {
            assert_eq!(seen(&[added(), hidden]), Some(Visibility::Private));
        }
    }

    #[test]
    fn only_who_followed_before_and_still_does_counts() {
        let follows = |register| followed_before(&registers(&[("edge#e", register)]), at(5));
        assert!(follows(Register::holds(at(4), "")));
        assert!(!follows(Register::holds(at(6), "")));
        assert!(!follows(Register::tombstone(at(4))));
    }

    #[test]
    fn who_follows_by_one_edge_follows() {
        assert!(!follows(&Registers::new()));
        let left = ("edge#a", Register::tombstone(at(9)));
        assert!(!follows(&registers(std::slice::from_ref(&left))));
        assert!(follows(&registers(&[left, ("edge#b", Register::holds(at(3), ""))])));
    }

    #[test]
    fn an_edge_stands_by_the_event_that_added_it_last() {
        let stands = |register| still_stands(&registers(&[("edge", register)]), at(5));
        assert!(stands(Register::holds(at(5), "likes")));
        // Taken back, and done again: there is another event for that.
        assert!(!stands(Register::holds(at(7), "likes")));
        assert!(!stands(Register::tombstone(at(6))));
        assert!(!still_stands(&Registers::new(), at(5)));
    }
}
