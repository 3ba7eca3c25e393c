use std::{fmt, str::FromStr};

use serde_with::{DeserializeFromStr, SerializeDisplay};

use super::{InvalidPosition, Position};

/// A [`Position`] across fast resets of the graph. A fast reset deletes the graph and starts commit
/// numbers again, so each reset begins a generation.
///
/// As text and in JSON it is `<generation>.<commitNum>/<opNum>`, and the [`Position`] alone in
/// generation 0. So texts that were written without a generation are of generation 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, DeserializeFromStr, SerializeDisplay)]
pub struct GenerationPosition {
    /// Number of fast resets before it.
    pub generation: u32,
    /// Position within the generation.
    pub position: Position,
}

impl GenerationPosition {
    /// The position of a change from `cluster`, which [`cluster_in_generation`] has named.
    pub fn of(cluster: &str, position: Position) -> Self {
        let generation = cluster.rsplit_once('.').and_then(|(_, number)| number.parse().ok());
        Self { generation: generation.unwrap_or(0), position }
    }
}

/// The name of a cluster in event ids: `<cluster>` at first, and `<cluster>.<generation>` after fast resets, so that event
/// ids remain unique. Names of clusters contain no dot.
pub fn cluster_in_generation(cluster: &str, generation: u64) -> String {
    if generation == 0 { cluster.to_owned() } else { format!("{cluster}.{generation}") }
}

/// A position of generation 0.
impl From<Position> for GenerationPosition {
    fn from(position: Position) -> Self {
        Self { generation: 0, position }
    }
}

impl fmt::Display for GenerationPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.generation > 0 {
            write!(f, "{}.", self.generation)?;
        }
        self.position.fmt(f)
    }
}

impl FromStr for GenerationPosition {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        let Some((generation, position)) = text.split_once('.') else { return Ok(text.parse::<Position>()?.into()) };
        // The written form only.
        let generation = generation.parse().ok().filter(|_| !generation.starts_with(['0', '+']));
        Ok(Self { generation: generation.ok_or(InvalidPosition)?, position: position.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reset_begins_a_later_generation() {
        let position = Position::new(7, 1);
        let generation = |cluster| GenerationPosition::of(cluster, position).generation;
        assert_eq!((generation("main"), generation("main.1"), generation("main.12")), (0, 1, 12));
        assert!(
            GenerationPosition::of("main.1", Position::new(1, 1)) > GenerationPosition::of("main", Position::new(9, 9))
        );
    }

    #[test]
    fn text_without_a_generation_is_of_generation_0() {
        assert_eq!("7/1".parse(), Ok(GenerationPosition::from(Position::new(7, 1))));
        for text in ["", "0.7/1", "01.7/1", "+1.7/1", "1.7", ".7/1", "1.2.7/1", "4294967296.7/1"] {
            assert_eq!(text.parse::<GenerationPosition>(), Err(InvalidPosition), "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_round_trips(generation: u32, commit_num: u64, op_num: u64) {
            let position = GenerationPosition { generation, position: Position::new(commit_num, op_num) };
            prop_assert_eq!(position.to_string().parse(), Ok(position));
        }
    }
}
