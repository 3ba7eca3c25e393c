//! What a user wants to be told of, and when in silence.

use std::collections::BTreeSet;

use jiff::{
    Timestamp,
    civil::Time,
    tz::{TimeZone, TimeZoneDatabase},
};
use serde::{Deserialize, Serialize};

use super::Category;

/// How a notification is to reach a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Not at all.
    None,
    /// Without a sound.
    Silent,
    /// As usual.
    Normal,
}

/// A user's choice. Whoever chose nothing is told of everything, at any time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preferences {
    /// What the user does not want to be told of.
    #[serde(default)]
    pub muted: BTreeSet<Category>,
    /// When notifications are to be silent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
}

impl Preferences {
    /// How a notification about `category` is to reach the user at `now`.
    pub fn delivery(&self, category: Category, now: Timestamp) -> Delivery {
        if self.muted.contains(&category) {
            Delivery::None
        } else if self.quiet_hours.as_ref().is_some_and(|hours| hours.contains(now)) {
            Delivery::Silent
        } else {
            Delivery::Normal
        }
    }
}

/// A part of every day, by the clock on the user's wall: what that clock shows decides, also on
/// days on which it is put forward or back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Text", into = "Text")]
pub struct QuietHours {
    /// The first quiet minute.
    from: Time,
    /// The first minute that is quiet no longer; before `from` if midnight lies between.
    to: Time,
    time_zone: TimeZone,
    /// The zone's IANA name, as the database writes it.
    zone_name: String,
}

/// These are no quiet hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuietHours {
    /// The named field is no time of day.
    #[error("`{0}` must be a time of day from 00:00 to 23:59, such as 22:00")]
    Time(&'static str),
    /// From a time to the same time: nothing, or all day?
    #[error("`from` and `to` must differ")]
    Empty,
    /// The time zone database has no such zone.
    #[error("`timeZone` must be the IANA name of a time zone, such as Asia/Seoul")]
    TimeZone,
}

impl QuietHours {
    /// Quiet hours from and to a time of day (`HH:MM`, 24 hours) in the zone of an IANA name.
    pub fn new(from: &str, to: &str, time_zone: &str) -> Result<Self, InvalidQuietHours> {
        let from = time_of_day(from).ok_or(InvalidQuietHours::Time("from"))?;
        let to = time_of_day(to).ok_or(InvalidQuietHours::Time("to"))?;
        if from == to {
            return Err(InvalidQuietHours::Empty);
        }
        // The database that is part of the program, not the machine's: the same everywhere, and no I/O.
        let time_zone = TimeZoneDatabase::bundled().get(time_zone).ok().filter(|zone| !zone.is_unknown());
        let time_zone = time_zone.ok_or(InvalidQuietHours::TimeZone)?;
        let zone_name = time_zone.iana_name().ok_or(InvalidQuietHours::TimeZone)?.to_owned();
        Ok(Self { from, to, time_zone, zone_name })
    }

    /// When they begin, as `HH:MM`.
    pub fn start(&self) -> String {
        clock(self.from)
    }

    /// When they end, as `HH:MM`.
    pub fn end(&self) -> String {
        clock(self.to)
    }

    /// The IANA name of the zone in which they count.
    pub fn time_zone(&self) -> &str {
        &self.zone_name
    }

    /// Whether `now` lies in them.
    pub fn contains(&self, now: Timestamp) -> bool {
        let clock = self.time_zone.to_datetime(now).time();
        if self.from < self.to { self.from <= clock && clock < self.to } else { self.from <= clock || clock < self.to }
    }
}

/// `HH:MM`.
fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let number = |digits: &str| -> Option<i8> {
        let two_digits = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
        digits.parse().ok().filter(|_| two_digits)
    };
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

fn clock(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// Quiet hours as they are stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    from: String,
    to: String,
    time_zone: String,
}

impl TryFrom<Text> for QuietHours {
    type Error = InvalidQuietHours;

    fn try_from(text: Text) -> Result<Self, InvalidQuietHours> {
        Self::new(&text.from, &text.to, &text.time_zone)
    }
}

impl From<QuietHours> for Text {
    fn from(hours: QuietHours) -> Self {
        Self { from: clock(hours.from), to: clock(hours.to), time_zone: hours.zone_name }
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn hours(from: &str, to: &str, zone: &str) -> QuietHours {
        QuietHours::new(from, to, zone).expect("quiet hours")
    }

    #[test]
    fn who_chose_nothing_is_told_of_everything() {
        let preferences: Preferences = serde_json::from_value(json!({})).expect("preferences");
        assert_eq!(preferences, Preferences::default());
        assert_eq!(preferences.delivery(Category::Likes, at("2026-11-22T15:00:00Z")), Delivery::Normal);
    }

    #[test]
    fn muted_is_muted_by_day_and_by_night() {
        let text = json!({
            "muted": ["likes", "stories"], "quiet_hours": {"from": "22:00", "to": "07:00", "time_zone": "Asia/Seoul"}
        });
        let preferences: Preferences = serde_json::from_value(text.clone()).expect("preferences");
        assert_eq!(serde_json::to_value(&preferences).expect("JSON"), text);
        // Noon and midnight in Seoul.
        let (noon, midnight) = (at("2026-11-22T03:00:00Z"), at("2026-11-22T15:00:00Z"));
        assert_eq!(preferences.delivery(Category::Likes, noon), Delivery::None);
        assert_eq!(preferences.delivery(Category::Likes, midnight), Delivery::None);
        assert_eq!(preferences.delivery(Category::Replies, noon), Delivery::Normal);
        assert_eq!(preferences.delivery(Category::Replies, midnight), Delivery::Silent);
    }

    #[test]
    fn hours_may_lie_within_a_day_or_across_midnight() {
        let nap = hours("13:00", "15:30", "Asia/Seoul");
        let night = hours("22:00", "07:00", "Asia/Seoul");
        for (clock, in_nap, in_night) in [
            ("00:00:00", false, true),
            ("06:59:59.999", false, true),
            ("07:00:00", false, false),
            ("13:00:00", true, false),
            ("15:29:59", true, false),
            ("15:30:00", false, false),
            ("21:59:59", false, false),
            ("22:00:00", false, true),
        ] {
            let now = at(&format!("2026-11-22T{clock}+09:00"));
            assert_eq!((nap.contains(now), night.contains(now)), (in_nap, in_night), "{clock}");
        }
    }

    #[test]
    fn the_clock_on_the_wall_decides_when_it_is_put_forward_or_back() {
        let night = hours("22:00", "07:00", "Europe/Berlin");
        // The same moments by UTC are quiet in winter and not in summer.
        assert!(night.contains(at("2026-01-15T05:30:00Z")));
        assert!(!night.contains(at("2026-07-15T05:30:00Z")));
        // 29 March 2026: after 01:59 comes 03:00. Hours in the hole never come.
        let hole = hours("02:00", "03:00", "Europe/Berlin");
        assert!(!hole.contains(at("2026-03-29T00:59:59Z")) && !hole.contains(at("2026-03-29T01:00:00Z")));
        // 25 October 2026: 02:30 comes twice, and both are quiet.
        assert!(hole.contains(at("2026-10-25T00:30:00Z")) && hole.contains(at("2026-10-25T01:30:00Z")));
        assert!(!hole.contains(at("2026-10-25T02:00:00Z")));
    }

    #[test]
    fn what_are_no_quiet_hours_is_refused_with_the_reason() {
        for (from, to, zone, reason) in [
            ("24:00", "07:00", "Asia/Seoul", InvalidQuietHours::Time("from")),
            ("2:00", "07:00", "Asia/Seoul", InvalidQuietHours::Time("from")),
            ("+2:00", "07:00", "Asia/Seoul", InvalidQuietHours::Time("from")),
            ("22:00", "07:60", "Asia/Seoul", InvalidQuietHours::Time("to")),
            ("22:00", "07:00:00", "Asia/Seoul", InvalidQuietHours::Time("to")),
            ("22:00", "", "Asia/Seoul", InvalidQuietHours::Time("to")),
            ("07:00", "07:00", "Asia/Seoul", InvalidQuietHours::Empty),
            ("22:00", "07:00", "Asia/Busan", InvalidQuietHours::TimeZone),
            ("22:00", "07:00", "", InvalidQuietHours::TimeZone),
            ("22:00", "07:00", "../etc/passwd", InvalidQuietHours::TimeZone),
            ("22:00", "07:00", "Etc/Unknown", InvalidQuietHours::TimeZone),
        ] {
            assert_eq!(QuietHours::new(from, to, zone), Err(reason), "{from} {to} {zone}");
        }
        for text in [
            json!({"quiet_hours": {"from": "22:00", "to": "07:00"}}),
            json!({"muted": ["everything"]}),
            json!({"quiet-hours": {}}),
        ] {
            assert!(serde_json::from_value::<Preferences>(text.clone()).is_err(), "{text}");
        }
    }

    #[test]
    fn zones_are_written_as_the_database_writes_them() {
        assert_eq!(Text::from(hours("22:00", "07:00", "asia/seoul")).time_zone, "Asia/Seoul");
        assert_eq!(Text::from(hours("22:00", "07:00", "utc")).time_zone, "UTC");
    }

    const ZONES: [&str; 6] =
        ["Asia/Seoul", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "UTC"];

    fn minutes() -> impl Strategy<Value = String> {
        (0..24, 0..60).prop_map(|(hour, minute)| format!("{hour:02}:{minute:02}"))
    }

    proptest! {
        #[test]
        fn two_times_divide_the_day(
            from in minutes(), to in minutes(), zone in prop::sample::select(&ZONES[..]), second in 0i64..4_000_000_000
        ) {
            prop_assume!(from != to);
            let now = Timestamp::from_second(second).expect("a time");
            // Either the time from `from` to `to` or that from `to` to `from`, never both, never neither.
            prop_assert_ne!(hours(&from, &to, zone).contains(now), hours(&to, &from, zone).contains(now));
        }

        #[test]
        fn the_first_minute_is_quiet_and_the_last_is_not(
            from in minutes(), to in minutes(), zone in prop::sample::select(&ZONES[..]), day in 0i32..30_000
        ) {
            prop_assume!(from != to);
            let hours = hours(&from, &to, zone);
            let date = jiff::civil::date(1970, 1, 1).checked_add(day.days()).expect("a date");
            for (clock, quiet) in [(hours.from, true), (hours.to, false)] {
                let moment = hours.time_zone.to_ambiguous_timestamp(date.to_datetime(clock));
                // Not where the clock never shows that time.
                if !moment.is_ambiguous() {
                    let moment = moment.unambiguous().expect("one moment");
                    prop_assert_eq!(hours.contains(moment), quiet);
                }
            }
        }

        #[test]
        fn survives_being_written(
            from in minutes(), to in minutes(), zone in prop::sample::select(&ZONES[..])
        ) {
            prop_assume!(from != to);
            let hours = hours(&from, &to, zone);
            let text = serde_json::to_string(&hours).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<QuietHours>(&text).expect("quiet hours"), hours);
        }
    }
}
