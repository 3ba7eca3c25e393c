//! Reading the rows of the projections.

use std::collections::BTreeMap;

use super::{Register, facts::ADDED, schema::Kind};
use crate::{
    graph::GenerationPosition,
    media::Visibility,
    visibility::{self, VISIBILITY},
};

/// Registers of a row by name.
pub type Registers = BTreeMap<String, Register>;

/// The registers that count in `generation`. A fast reset deletes the graph without a change for each
/// fact, so registers of earlier generations are void.
pub fn of_generation(mut registers: Registers, generation: u32) -> Registers {
    registers.retain(|_, register| register.position.generation >= generation);
    registers
}

/// Facts about a vertex.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vertex {
    /// Name of a person.
    pub name: Option<String>,
    /// Title of a story.
    pub title: Option<String>,
    /// Persons who told or wrote it, the earliest first.
    pub owners: Vec<Owner>,
    /// Visibility of a story; `None` while it is unknown.
    pub visibility: Option<VisibilityFact>,
}

/// Visibility of a story, and the position since which it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VisibilityFact {
    /// The visibility.
    pub visibility: Visibility,
    /// Position of the change that set it; of the vertex's addition if it was never set.
    pub since: GenerationPosition,
}

impl VisibilityFact {
    /// Whether others than the owners may see the story.
    pub fn is_shared(self) -> bool {
        self.visibility != Visibility::Private
    }
}

/// A person who told or wrote a vertex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Id of the person.
    pub person: String,
    /// Kind of the vertex.
    pub kind: Kind,
}

impl From<&Registers> for Vertex {
    fn from(registers: &Registers) -> Self {
        let text = |name| registers.get(name).and_then(|register| register.value.clone());
        // Sorted by position. There are rarely more than two.
        let mut owners: Vec<(GenerationPosition, Owner)> = Vec::new();
        for (_, register) in registers.iter().filter(|(name, _)| name.starts_with("owner#")) {
            if let Some(owner) = owner(register) {
                let at = owners.partition_point(|(position, _)| *position <= register.position);
                owners.insert(at, (register.position, owner));
            }
        }
        let owners = owners.into_iter().map(|(_, owner)| owner).collect();
        Self { name: text("name"), title: text("title"), owners, visibility: visibility_fact(registers) }
    }
}

/// The visibility that was set, or else public if the vertex's addition has been applied. Until then an
/// addition that sets it may still arrive.
fn visibility_fact(registers: &Registers) -> Option<VisibilityFact> {
    if let Some(set) = registers.get(VISIBILITY) {
        return Some(VisibilityFact { visibility: visibility::of_register(set.value.as_deref()), since: set.position });
    }
    let added = registers.get(ADDED).filter(|added| !added.is_tombstone())?;
    Some(VisibilityFact { visibility: Visibility::Public, since: added.position })
}

fn owner(register: &Register) -> Option<Owner> {
    let (label, person) = register.value.as_deref()?.split_once(' ')?;
    let kind = if label == "told" { Kind::Story } else { Kind::Comment };
    Some(Owner { person: person.to_owned(), kind })
}

/// Whether a person followed before `position` and still does, by the same edge.
pub fn followed_before(registers: &Registers, position: GenerationPosition) -> bool {
    registers.values().any(|register| !register.is_tombstone() && register.position < position)
}

/// Whether a person follows now, by any edge.
pub fn follows(registers: &Registers) -> bool {
    registers.values().any(|register| !register.is_tombstone())
}

/// Whether a person follows another one, by their row [`Row::Following`](super::Row::Following): by any edge, and neither
/// has blocked the other.
pub fn follows_unblocked(registers: &Registers) -> bool {
    let has =
        |prefix: &str| registers.iter().any(|(name, register)| name.starts_with(prefix) && !register.is_tombstone());
    has("edge#") && !has("blocks#")
}

/// Blocks and mutes between two persons.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Relation {
    /// One of them blocked the other.
    pub blocked: bool,
    /// The recipient muted the other.
    pub muted: bool,
}

impl Relation {
    /// Parses the row of `recipient` and another person.
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

/// Whether the edge that was added at `position` still exists by that addition.
pub fn edge_still_exists(registers: &Registers, position: GenerationPosition) -> bool {
    registers.get("edge").is_some_and(|register| !register.is_tombstone() && register.position == position)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Position;

    fn registers(registers: &[(&str, Register)]) -> Registers {
        registers.iter().map(|(name, register)| ((*name).to_owned(), register.clone())).collect()
    }

    fn at(commit_num: u64) -> GenerationPosition {
        Position::new(commit_num, 1).into()
    }

    #[test]
    fn owners_are_sorted_by_position_without_removed_ones() {
        let vertex = Vertex::from(&registers(&[
            ("owner#a", Register::new(at(9), "told jun")),
            ("owner#b", Register::new(at(3), "told mina")),
            ("owner#c", Register::tombstone(at(12))),
        ]));
        assert_eq!(vertex.owners.iter().map(|owner| owner.person.as_str()).collect::<Vec<_>>(), ["mina", "jun"]);
    }

    #[test]
    fn visibility_is_set_or_public_after_the_addition() {
        let visibility_of =
            |known: &[(&str, Register)]| Vertex::from(&registers(known)).visibility.map(|fact| fact.visibility);
        let added = || ("added", Register::new(at(3), ""));
        let set = |text: &str| ("visibility", Register::new(at(5), text));
        assert_eq!(visibility_of(&[]), None, "its addition may still arrive, and set it");
        assert_eq!(visibility_of(&[added()]), Some(Visibility::Public));
        assert_eq!(visibility_of(&[("added", Register::tombstone(at(9)))]), None);
        for visibility in Visibility::ALL {
            assert_eq!(visibility_of(&[added(), set(visibility.as_ref())]), Some(visibility));
            assert_eq!(visibility_of(&[set(visibility.as_ref())]), Some(visibility));
        }
        for hidden in [set("friends"), ("visibility", Register::tombstone(at(5)))] {
            assert_eq!(visibility_of(&[added(), hidden]), Some(Visibility::Private));
        }
    }

    #[test]
    fn follower_counts_if_they_followed_before_and_still_do() {
        let follows = |register| followed_before(&registers(&[("edge#e", register)]), at(5));
        assert!(follows(Register::new(at(4), "")));
        assert!(!follows(Register::new(at(6), "")));
        assert!(!follows(Register::tombstone(at(4))));
    }

    #[test]
    fn person_follows_by_any_remaining_edge() {
        assert!(!follows(&Registers::new()));
        let left = ("edge#a", Register::tombstone(at(9)));
        assert!(!follows(&registers(std::slice::from_ref(&left))));
        assert!(follows(&registers(&[left, ("edge#b", Register::new(at(3), ""))])));
    }

    #[test]
    fn blocked_person_is_not_followed() {
        let (edge, block) = (("edge#a", Register::new(at(3), "")), ("blocks#b", Register::new(at(4), "mina")));
        assert!(follows_unblocked(&registers(std::slice::from_ref(&edge))));
        assert!(!follows_unblocked(&registers(&[edge.clone(), block.clone()])));
        assert!(!follows_unblocked(&registers(&[block])));
        assert!(follows_unblocked(&registers(&[edge, ("blocks#b", Register::tombstone(at(5)))])));
    }

    #[test]
    fn edge_exists_by_its_last_addition_only() {
        let exists = |register| edge_still_exists(&registers(&[("edge", register)]), at(5));
        assert!(exists(Register::new(at(5), "likes")));
        // Removed and added again, which is another event.
        assert!(!exists(Register::new(at(7), "likes")));
        assert!(!exists(Register::tombstone(at(6))));
        assert!(!edge_still_exists(&Registers::new(), at(5)));
    }
}
