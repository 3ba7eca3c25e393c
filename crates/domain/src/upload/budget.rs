use jiff::{Timestamp, ToSpan, tz::TimeZone};
use strum::{AsRefStr, EnumString};

use crate::media::{Kind, MediaId};

/// What one person may upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Uploads that may be started on one day in UTC.
    pub uploads_per_day: u64,
    /// Bytes that may be declared on one day.
    pub bytes_per_day: u64,
    /// Uploads that may be unfinished: signed, but not yet processed.
    pub pending: usize,
    /// Unfinished recordings before further ones are processed in the slow lane.
    pub fast_recordings: usize,
}

/// An upload that counts as unfinished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingUpload {
    /// The item that it makes.
    pub media_id: MediaId,
    /// Avatar, photo or audio.
    pub kind: Kind,
    /// Where it is processed.
    pub lane: Lane,
    /// Time after which it cannot be sent any more. Without an item by then, it was given up.
    pub signed_until: Timestamp,
}

/// Where a recording is processed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, AsRefStr, EnumString)]
#[strum(serialize_all = "lowercase")]
pub enum Lane {
    /// At once.
    #[default]
    Fast,
    /// By few workers, behind other recordings of people who upload very many.
    Slow,
}

/// The object's metadata with the lane. Absent for [`Lane::Fast`].
pub const LANE_METADATA: &str = "lane";

impl Budget {
    /// Whether the numbers alone allow another upload beside `pending`, and its lane is certain to be the fast one. If not,
    /// uploads that have been finished since must be left out first.
    pub fn is_ample(&self, pending: &[PendingUpload]) -> bool {
        pending.len() < self.pending && recordings(pending) < self.fast_recordings
    }

    /// The lane of another upload of this kind; `None` if too many are unfinished.
    pub fn lane(&self, kind: Kind, pending: &[PendingUpload]) -> Option<Lane> {
        let is_slow = kind == Kind::Audio && recordings(pending) >= self.fast_recordings;
        (pending.len() < self.pending).then_some(if is_slow { Lane::Slow } else { Lane::Fast })
    }
}

fn recordings(pending: &[PendingUpload]) -> usize {
    pending.iter().filter(|upload| upload.kind == Kind::Audio).count()
}

/// The day in UTC to which uploads at `now` count.
pub fn day(now: Timestamp) -> String {
    now.to_zoned(TimeZone::UTC).date().to_string()
}

/// Seconds from `now` to the next day in UTC, at least 1.
pub fn seconds_to_next_day(now: Timestamp) -> i64 {
    let now = now.to_zoned(TimeZone::UTC);
    let next = now.date().saturating_add(1.day()).to_zoned(TimeZone::UTC);
    next.map_or(1, |next| now.duration_until(&next).as_secs()).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(kinds: &[Kind]) -> Vec<PendingUpload> {
        let of = |kind: &Kind| PendingUpload {
            media_id: MediaId::of_key("k"),
            kind: *kind,
            lane: Lane::Fast,
            signed_until: Timestamp::UNIX_EPOCH,
        };
        kinds.iter().map(of).collect()
    }

    #[test]
    fn many_recordings_are_slow_and_too_many_uploads_are_refused() {
        let budget = Budget { uploads_per_day: 9, bytes_per_day: 9, pending: 3, fast_recordings: 2 };
        for (kinds, audio, photo, is_ample) in [
            (&[][..], Some(Lane::Fast), Some(Lane::Fast), true),
            (&[Kind::Photo, Kind::Photo], Some(Lane::Fast), Some(Lane::Fast), true),
            (&[Kind::Audio, Kind::Audio], Some(Lane::Slow), Some(Lane::Fast), false),
            (&[Kind::Audio, Kind::Photo, Kind::Photo], None, None, false),
        ] {
            let pending = pending(kinds);
            assert_eq!(budget.lane(Kind::Audio, &pending), audio, "{kinds:?}");
            assert_eq!(budget.lane(Kind::Photo, &pending), photo, "{kinds:?}");
            assert_eq!(budget.is_ample(&pending), is_ample, "{kinds:?}");
        }
    }

    #[test]
    fn day_ends_at_midnight_in_utc() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        assert_eq!(day(at("2026-11-22T23:59:59Z")), "2026-11-22");
        assert_eq!(seconds_to_next_day(at("2026-11-22T23:59:58.5Z")), 1);
        assert_eq!(seconds_to_next_day(at("2026-11-22T00:00:00Z")), 86_400);
    }
}
