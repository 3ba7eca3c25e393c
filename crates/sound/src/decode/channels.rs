//! The weight of each channel in the loudness (BS.1770-5, tables 3 and 4).

use symphonia::core::audio::{Channels, Position};

/// The weight of side and rear channels: +1.5 dB.
pub(crate) const SURROUND_WEIGHT: f64 = 1.41;

/// One weight per channel, in the decoder's order. Channels of unknown position count as front channels.
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
        SURROUND_WEIGHT
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use symphonia::core::audio::layouts::{CHANNEL_LAYOUT_5P1, CHANNEL_LAYOUT_STEREO};

    use super::*;

    #[test]
    fn surround_channel_weighs_more_and_lfe_nothing() {
        assert_eq!(weights(&CHANNEL_LAYOUT_STEREO), [1.0, 1.0]);
        assert_eq!(weights(&CHANNEL_LAYOUT_5P1), [1.0, 1.0, 1.0, 0.0, SURROUND_WEIGHT, SURROUND_WEIGHT]);
        assert_eq!(weights(&Channels::Discrete(3)), [1.0; 3]);
    }
}
