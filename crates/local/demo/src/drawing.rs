//! Draws phones and notifications: as HTML for the page, as lines for the terminal.

mod html;
mod lines;

use std::time::Duration;

use domain::push::Platform;

pub use html::{STYLE, phones};
pub use lines::line;

/// A phone to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    /// Name of the owner.
    pub name: String,
    /// Language tag, such as `ko-KR`.
    pub language: String,
    /// Operating system.
    pub platform: Platform,
    /// Displayed notifications, oldest first.
    pub notices: Vec<DisplayedNotice>,
}

/// A notification to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayedNotice {
    /// Title.
    pub title: String,
    /// Body.
    pub body: String,
    /// Whether it is silent.
    pub silent: bool,
    /// When the phone received it, in milliseconds since 1970.
    pub received_at: i64,
    /// Time from the commit to the phone, if known.
    pub latency: Option<Duration>,
}

/// Whether the language is Korean.
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
        let notice = DisplayedNotice {
            title: "좋아요".into(),
            body: body.into(),
            silent: false,
            received_at: 1_700_000_000_123,
            latency: Some(Duration::from_millis(180)),
        };
        Phone { name: "미나".into(), language: language.into(), platform, notices: vec![notice] }
    }
}
