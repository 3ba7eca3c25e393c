//! Notification preferences: muted categories, quiet hours, hidden content.

use std::collections::BTreeSet;

use jiff::{
    Timestamp,
    civil::Time,
    tz::{TimeZone, TimeZoneDatabase},
};
use serde::{Deserialize, Serialize};

use super::Category;

/// How a notification is delivered to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Not at all.
    None,
    /// Without a sound.
    Silent,
    /// As usual.
    Normal,
}

/// Preferences of a user. By default all notifications are delivered, with sound.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preferences {
    /// Muted categories.
    #[serde(default)]
    pub muted: BTreeSet<Category>,
    /// Hours in which notifications are silent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// Whether notifications name no person and no title.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hide_content: bool,
}

impl Preferences {
    /// Delivery of a notification of `category` at `now`.
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

/// Part of every day, in the local time of the user. Local time also decides on days on which daylight
/// saving time begins or ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Text", into = "Text")]
pub struct QuietHours {
    /// First quiet minute.
    from: Time,
    /// First minute after; before `from` if midnight lies between.
    to: Time,
    time_zone: TimeZone,
    /// IANA name of the zone, as in the time zone database.
    zone_name: String,
}

/// Why quiet hours are invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuietHours {
    /// The named field is not a time of day.
    #[error("`{0}` must be a time of day from 00:00 to 23:59, such as 22:00")]
    Time(&'static str),
    /// Both times are the same, which could mean never or all day.
    #[error("`from` and `to` must differ")]
    Empty,
    /// The time zone database does not have the zone.
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
        // The bundled database is the same everywhere and needs no I/O.
        let time_zone = TimeZoneDatabase::bundled().get(time_zone).ok().filter(|zone| !zone.is_unknown());
        let time_zone = time_zone.ok_or(InvalidQuietHours::TimeZone)?;
        let zone_name = time_zone.iana_name().ok_or(InvalidQuietHours::TimeZone)?.to_owned();
        Ok(Self { from, to, time_zone, zone_name })
    }

    /// Start as `HH:MM`.
    pub fn start(&self) -> String {
        clock(self.from)
    }

    /// End as `HH:MM`.
    pub fn end(&self) -> String {
        clock(self.to)
    }

    /// IANA name of the time zone.
    pub fn time_zone(&self) -> &str {
        &self.zone_name
    }

    /// Whether `now` is in the quiet hours.
    pub fn contains(&self, now: Timestamp) -> bool {
        let clock = self.time_zone.to_datetime(now).time();
        if self.from < self.to { self.from <= clock && clock < self.to } else { self.from <= clock || clock < self.to }
    }
}

/// Parses `HH:MM`.
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

/// The stored form of quiet hours.
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
    fn default_preferences_deliver_everything() {
        let preferences: Preferences = serde_json::from_value(json!({})).expect("preferences");
        assert_eq!(preferences, Preferences::default());
        assert_eq!(preferences.delivery(Category::Likes, at("2026-11-22T15:00:00Z")), Delivery::Normal);
        assert!(!preferences.hide_content, "rows of the version before do not have it");
    }

    #[test]
    fn muted_category_is_not_delivered_at_any_time() {
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
    fn hidden_content_is_stored_only_if_chosen() {
        for (text, hide_content) in [(json!({"muted": [], "hide_content": true}), true), (json!({"muted": []}), false)]
        {
            let preferences: Preferences = serde_json::from_value(text.clone()).expect("preferences");
            assert_eq!(preferences.hide_content, hide_content);
            assert_eq!(serde_json::to_value(&preferences).expect("JSON"), text);
        }
        assert!(serde_json::from_value::<Preferences>(json!({"hide_content": "true"})).is_err());
    }

    #[test]
    fn quiet_hours_may_span_midnight() {
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
    fn quiet_hours_follow_local_time_across_daylight_saving() {
        let night = hours("22:00", "07:00", "Europe/Berlin");
        // The same time in UTC is quiet in winter and not in summer.
        assert!(night.contains(at("2026-01-15T05:30:00Z")));
        assert!(!night.contains(at("2026-07-15T05:30:00Z")));
        // 29 March 2026: 03:00 follows 01:59, so these hours do not occur.
        let skipped = hours("02:00", "03:00", "Europe/Berlin");
        assert!(!skipped.contains(at("2026-03-29T00:59:59Z")) && !skipped.contains(at("2026-03-29T01:00:00Z")));
        // 25 October 2026: 02:30 occurs twice, and both are quiet.
        assert!(skipped.contains(at("2026-10-25T00:30:00Z")) && skipped.contains(at("2026-10-25T01:30:00Z")));
        assert!(!skipped.contains(at("2026-10-25T02:00:00Z")));
    }

    #[test]
    fn invalid_quiet_hours_are_rejected_with_the_reason() {
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
    fn zone_name_is_written_as_in_the_database() {
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
        fn hours_and_their_complement_cover_the_day(
            from in minutes(), to in minutes(), zone in prop::sample::select(&ZONES[..]), second in 0i64..4_000_000_000
        ) {
            prop_assume!(from != to);
            let now = Timestamp::from_second(second).expect("a time");
            // Exactly one of the hours and their complement contains `now`.
            prop_assert_ne!(hours(&from, &to, zone).contains(now), hours(&to, &from, zone).contains(now));
        }

        #[test]
        fn start_is_quiet_and_end_is_not(
            from in minutes(), to in minutes(), zone in prop::sample::select(&ZONES[..]), day in 0i32..30_000
        ) {
            prop_assume!(from != to);
            let hours = hours(&from, &to, zone);
            let date = jiff::civil::date(1970, 1, 1).checked_add(day.days()).expect("a date");
            for (clock, quiet) in [(hours.from, true), (hours.to, false)] {
                let moment = hours.time_zone.to_ambiguous_timestamp(date.to_datetime(clock));
                // Skips local times that do not occur or occur twice.
                if !moment.is_ambiguous() {
                    let moment = moment.unambiguous().expect("one moment");
                    prop_assert_eq!(hours.contains(moment), quiet);
                }
            }
        }

        #[test]
        fn stored_form_round_trips(
            from in minutes(), to in minutes(), zone in prop::sample::select(&ZONES[..])
        ) {
            prop_assume!(from != to);
            let hours = hours(&from, &to, zone);
            let text = serde_json::to_string(&hours).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<QuietHours>(&text).expect("quiet hours"), hours);
        }
    }
}
