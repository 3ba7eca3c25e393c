//! What a channel counts for in the loudness (BS.1770-5, tables 3 and 4).

use symphonia::core::audio::{Channels, Position};

/// +1.5 dB for what comes from the side or from behind.
pub(crate) const SURROUND: f64 = 1.41;

/// One weight for each channel, in the order in which the decoder emits them. Channels without a
/// known position count as in front.
pub(crate) fn weights(channels: &Channels) -> Vec<f64> {
    match channels {
        Channels::Positioned(positions) => positions.iter().map(weight).collect(),
        other => vec![1.0; other.count()],
    }
}

fn weight(position: Position) -> f64 {
    let surround = Position::REAR_LEFT
        | Position::REAR_RIGHT
        | Position::REAR_CENTER
        | Position::SIDE_LEFT
        | Position::SIDE_RIGHT
        | Position::TOP_REAR_LEFT
        | Position::TOP_REAR_CENTER
        | Position::TOP_REAR_RIGHT
        | Position::TOP_SIDE_LEFT
        | Position::TOP_SIDE_RIGHT;
    if position.intersects(Position::LFE1 | Position::LFE2) {
        0.0
    } else if position.intersects(surround) {
        SURROUND
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use symphonia::core::audio::layouts::{CHANNEL_LAYOUT_5P1, CHANNEL_LAYOUT_STEREO};

    use super::*;

    #[test]
    fn surround_counts_more_and_effects_nothing() {
        assert_eq!(weights(&CHANNEL_LAYOUT_STEREO), [1.0, 1.0]);
        assert_eq!(weights(&CHANNEL_LAYOUT_5P1), [1.0, 1.0, 1.0, 0.0, SURROUND, SURROUND]);
        assert_eq!(weights(&Channels::Discrete(3)), [1.0; 3]);
    }
}
