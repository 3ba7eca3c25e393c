use crate::graph::Position;

/// A [`Position`] across fast resets of the graph. A fast reset deletes the graph and starts commit
/// numbers again, so each reset begins a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GenerationPosition {
    /// Number of fast resets before it.
    pub generation: u32,
    /// Position within the generation.
    pub position: Position,
}

impl GenerationPosition {
    /// The position of a change from `cluster`. The poller names a cluster `<cluster>` at first and
    /// `<cluster>.<generation>` after resets. Names of clusters contain no dot.
    pub fn of(cluster: &str, position: Position) -> Self {
        let generation = cluster.rsplit_once('.').and_then(|(_, number)| number.parse().ok());
        Self { generation: generation.unwrap_or(0), position }
    }
}

#[cfg(test)]
mod tests {
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
}
