//! Whether a stream of AAC-LC may be HE-AAC.

/// The highest rate of the core of HE-AAC, in Hz.
const MAX_HALVED_HZ: u32 = 24_000;
/// The sampling rates by index (ISO/IEC 14496-3, table 1.18).
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// HE-AAC can be signalled implicitly, as AAC-LC at half the rate. An AAC-LC decoder would then lose the upper half of
/// the spectrum. A low rate is certain only if the configuration excludes SBR (ISO/IEC 14496-3, 1.6.5.2: a sync
/// extension with SBR flag 0).
///
/// The container may state the doubled rate, so the rate of the configuration counts.
pub(super) fn may_be_he_aac(container_hz: Option<u32>, configuration: Option<&[u8]>) -> bool {
    let is_excluded = matches!(configuration, Some([_, _, 0x56, 0xe5, flag, ..]) if flag & 0x80 == 0);
    let core_hz = [container_hz, configuration.and_then(rate_hz)].into_iter().flatten().min();
    core_hz.is_none_or(|rate| rate <= MAX_HALVED_HZ) && !is_excluded
}

/// The sampling rate of an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1); `None` if it has another form than AAC-LC's.
fn rate_hz(configuration: &[u8]) -> Option<u32> {
    const ESCAPE: u8 = 15;
    let &[first, second, ref rest @ ..] = configuration else { return None };
    match (first & 7) << 1 | second >> 7 {
        ESCAPE => {
            let &[third, fourth, fifth, ..] = rest else { return None };
            Some(u32::from_be_bytes([second & 0x7f, third, fourth, fifth]) >> 7)
        }
        index => RATES.get(usize::from(index)).copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_is_that_of_the_configuration() {
        assert_eq!(rate_hz(&[0x12, 0x08]), Some(44_100));
        assert_eq!(rate_hz(&[0x13, 0x88, 0x56, 0xe5, 0xa0]), Some(22_050));
        // Index 15 and 24 bits: object type 2, 24,000 Hz, one channel.
        let explicit = 2_u64 << 43 | 15 << 39 | 24_000 << 15 | 1 << 11;
        assert_eq!(rate_hz(&explicit.to_be_bytes()[2..]), Some(24_000));
        assert_eq!(rate_hz(&[0x12]), None);
    }

    #[test]
    fn low_core_rate_may_be_he_aac_behind_any_container_rate() {
        for container_hz in [Some(22_050), Some(44_100), None] {
            assert!(may_be_he_aac(container_hz, Some(&[0x13, 0x88])), "implicit, {container_hz:?}");
            assert!(may_be_he_aac(container_hz, Some(&[0x13, 0x88, 0x56, 0xe5, 0xa0])), "announced, {container_hz:?}");
            assert!(!may_be_he_aac(container_hz, Some(&[0x13, 0x88, 0x56, 0xe5, 0x00])), "excluded, {container_hz:?}");
        }
        assert!(may_be_he_aac(Some(24_000), None));
        assert!(!may_be_he_aac(Some(44_100), None));
        assert!(!may_be_he_aac(Some(44_100), Some(&[0x12, 0x10])));
        assert!(may_be_he_aac(None, None));
    }
}
