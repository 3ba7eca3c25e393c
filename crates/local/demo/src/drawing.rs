//! MobilePushEmulator with their notifications, drawn: as HTML for the demo's page, as lines for a terminal.

mod html;
mod lines;

use std::time::Duration;

use domain::push::Platform;

pub use html::{STYLE, phones};
pub use lines::line;

/// A phone to be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    /// Whose it is.
    pub name: String,
    /// Its language, as in `ko-KR`.
    pub language: String,
    /// Its operating system.
    pub platform: Platform,
    /// What it shows, the oldest first.
    pub notices: Vec<Drawn>,
}

/// A notification to be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
    /// Whether it makes no sound.
    pub silent: bool,
    /// When it came, in milliseconds since 1970.
    pub received_at: i64,
    /// How long it took from the commit to the phone, if that is known.
    pub took: Option<Duration>,
}

/// Whether the phone's owner reads Korean.
fn is_korean(language: &str) -> bool {
    language.split(['-', '_']).next().is_some_and(|primary| primary.eq_ignore_ascii_case("ko"))
}

/// The time of day in UTC, to the second.
fn clock(milliseconds: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    time.strftime("%H:%M:%S").to_string()
}

#[cfg(test)]
mod testing {
    use super::*;

    pub fn phone(language: &str, platform: Platform, body: &str) -> Phone {
        let drawn = Drawn {
            title: "좋아요".into(),
            body: body.into(),
            silent: false,
            received_at: 1_700_000_000_123,
            took: Some(Duration::from_millis(180)),
        };
        Phone { name: "미나".into(), language: language.into(), platform, notices: vec![drawn] }
    }
}
