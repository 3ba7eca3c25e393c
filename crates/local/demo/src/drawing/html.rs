use std::fmt::Write;

use domain::push::Platform;

use super::{DisplayedNotice, Phone, clock, is_korean};
use crate::format::escape_html;

/// The style sheet of [`phones`].
pub const STYLE: &str = include_str!("phones.css");

/// Phones side by side, as an HTML fragment that needs only [`STYLE`].
pub fn phones(phones: &[Phone]) -> String {
    let mut fragment = String::from("<div class=\"phones\">");
    for each in phones {
        phone(&mut fragment, each);
    }
    fragment + "</div>"
}

fn phone(fragment: &mut String, phone: &Phone) {
    let (language, empty) =
        if is_korean(&phone.language) { ("ko", "알림 없음") } else { ("en", "No notifications") };
    let platform = match phone.platform {
        Platform::Android => "android",
        Platform::Ios => "ios",
    };
    let last = phone.notices.last().map_or_else(|| "--:--".to_owned(), |notice| clock(notice.received_at));
    // Writing to a string cannot fail.
    let _ = write!(
        fragment,
        "<figure class=\"phone {platform}\" lang=\"{language}\"><div class=\"bezel\"><div class=\"camera\"></div>\
         <div class=\"time\">{}</div><div class=\"notices\">",
        last.get(..5).unwrap_or(&last)
    );
    // Newest first.
    for notice in phone.notices.iter().rev() {
        draw_notice(fragment, notice, language);
    }
    if phone.notices.is_empty() {
        let _ = write!(fragment, "<p class=\"empty\">{empty}</p>");
    }
    let _ = write!(fragment, "</div></div><figcaption>{}</figcaption></figure>", escape_html(&phone.name));
}

fn draw_notice(fragment: &mut String, notice: &DisplayedNotice, language: &str) {
    let (silent, after) = if language == "ko" { ("무음", "뒤") } else { ("silent", "after") };
    let class = if notice.silent { "notice silent" } else { "notice" };
    let mut small = vec![clock(notice.received_at)];
    small.extend(notice.latency.map(|latency| match language {
        "ko" => format!("{} ms {after}", latency.as_millis()),
        _ => format!("{after} {} ms", latency.as_millis()),
    }));
    small.extend(notice.silent.then(|| silent.to_owned()));
    let _ = write!(
        fragment,
        "<div class=\"{class}\"><div class=\"app\">{LOGO}IYAGI<small>{}</small></div><strong>{}</strong><p>{}</p></div>",
        small.join(" · "),
        escape_html(&notice.title),
        escape_html(&notice.body)
    );
}

/// A speech bubble with a sound wave.
const LOGO: &str = "<svg viewBox=\"0 0 16 16\" width=\"14\" height=\"14\" aria-hidden=\"true\"><path d=\"M3 1h10a2 2 0 0 1 2 \
                    2v7a2 2 0 0 1-2 2H7l-4 3v-3a2 2 0 0 1-2-2V3a2 2 0 0 1 2-2z\" fill=\"currentColor\"/><path d=\"M4 \
                    6v1M6.5 4.5v4M9 3.5v6M11.5 5.5v2\" stroke=\"#fff\" stroke-linecap=\"round\"/></svg>";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::testing::phone;

    #[test]
    fn user_text_is_escaped() {
        let drawn = phones(&[phone("en", Platform::Ios, "<script>alert(\"&\")</script>")]);
        assert!(drawn.contains("&lt;script&gt;alert(&quot;&amp;&quot;)&lt;/script&gt;") && !drawn.contains("<script>"));
    }

    #[test]
    fn phone_is_drawn_in_its_language() {
        let korean = phones(&[phone("ko-KR", Platform::Android, "x")]);
        assert!(korean.contains("lang=\"ko\"") && korean.contains("180 ms 뒤") && korean.contains("phone android"));
        let english = phones(&[phone("en", Platform::Ios, "x")]);
        assert!(english.contains("lang=\"en\"") && english.contains("after 180 ms") && english.contains("phone ios"));
        let empty = |language: &str| phones(&[Phone { notices: Vec::new(), ..phone(language, Platform::Ios, "") }]);
        assert!(empty("ko").contains("알림 없음") && empty("en").contains("No notifications"));
    }

    #[test]
    fn newest_notice_is_first_and_silence_is_marked() {
        let mut both = phone("en", Platform::Android, "older");
        let newer = DisplayedNotice { body: "newer".into(), silent: true, ..both.notices[0].clone() };
        both.notices.push(newer);
        let drawn = phones(&[both]);
        assert!(drawn.find("newer") < drawn.find("older"));
        assert_eq!((drawn.matches("notice silent").count(), drawn.matches("· silent").count()), (1, 1));
    }

    #[test]
    fn html_is_well_formed_and_self_contained() {
        let drawn = phones(&[phone("ko", Platform::Android, "a"), phone("en", Platform::Ios, "b")]);
        for name in ["div", "figure", "figcaption", "strong", "p", "svg", "small"] {
            let opened = drawn.matches(&format!("<{name}>")).count() + drawn.matches(&format!("<{name} ")).count();
            assert!(opened > 0 && opened == drawn.matches(&format!("</{name}>")).count(), "{name}");
        }
        assert!(!drawn.contains("http") && !STYLE.contains("url(") && !STYLE.contains("@import"));
    }
}
