use std::fmt::Write;

use domain::push::Platform;

use super::{Drawn, Phone, clock, is_korean};

/// The style of what [`phones`] makes.
pub const STYLE: &str = include_str!("phones.css");

/// MobilePushEmulator side by side: a fragment that needs [`STYLE`] and nothing else.
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
    let last = phone.notices.last().map_or_else(|| "--:--".to_owned(), |drawn| clock(drawn.received_at));
    // Writing to a text cannot fail.
    let _ = write!(
        fragment,
        "<figure class=\"phone {platform}\" lang=\"{language}\"><div class=\"bezel\"><div class=\"camera\"></div>\
         <div class=\"time\">{}</div><div class=\"notices\">",
        last.get(..5).unwrap_or(&last)
    );
    // MobilePushEmulator show the newest first.
    for drawn in phone.notices.iter().rev() {
        notice(fragment, drawn, language);
    }
    if phone.notices.is_empty() {
        let _ = write!(fragment, "<p class=\"empty\">{empty}</p>");
    }
    let _ = write!(fragment, "</div></div><figcaption>{}</figcaption></figure>", escape(&phone.name));
}

fn notice(fragment: &mut String, drawn: &Drawn, language: &str) {
    let (silent, after) = if language == "ko" { ("무음", "뒤") } else { ("silent", "after") };
    let class = if drawn.silent { "notice silent" } else { "notice" };
    let mut small = vec![clock(drawn.received_at)];
    small.extend(drawn.took.map(|took| match language {
        "ko" => format!("{} ms {after}", took.as_millis()),
        _ => format!("{after} {} ms", took.as_millis()),
    }));
    small.extend(drawn.silent.then(|| silent.to_owned()));
    let _ = write!(
        fragment,
        "<div class=\"{class}\"><div class=\"app\">{LOGO}IYAGI<small>{}</small></div><strong>{}</strong><p>{}</p></div>",
        small.join(" · "),
        escape(&drawn.title),
        escape(&drawn.body)
    );
}

/// A speech bubble with a sound wave in it.
const LOGO: &str = "<svg viewBox=\"0 0 16 16\" width=\"14\" height=\"14\" aria-hidden=\"true\"><path d=\"M3 1h10a2 2 0 0 1 2 \
                    2v7a2 2 0 0 1-2 2H7l-4 3v-3a2 2 0 0 1-2-2V3a2 2 0 0 1 2-2z\" fill=\"currentColor\"/><path d=\"M4 \
                    6v1M6.5 4.5v4M9 3.5v6M11.5 5.5v2\" stroke=\"#fff\" stroke-linecap=\"round\"/></svg>";

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::testing::phone;

    #[test]
    fn what_people_write_is_text() {
        let drawn = phones(&[phone("en", Platform::Ios, "<script>alert(\"&\")</script>")]);
        assert!(drawn.contains("&lt;script&gt;alert(&quot;&amp;&quot;)&lt;/script&gt;") && !drawn.contains("<script>"));
    }

    #[test]
    fn a_phone_speaks_its_owners_language() {
        let korean = phones(&[phone("ko-KR", Platform::Android, "x")]);
        assert!(korean.contains("lang=\"ko\"") && korean.contains("180 ms 뒤") && korean.contains("phone android"));
        let english = phones(&[phone("en", Platform::Ios, "x")]);
        assert!(english.contains("lang=\"en\"") && english.contains("after 180 ms") && english.contains("phone ios"));
        let empty = |language: &str| phones(&[Phone { notices: Vec::new(), ..phone(language, Platform::Ios, "") }]);
        assert!(empty("ko").contains("알림 없음") && empty("en").contains("No notifications"));
    }

    #[test]
    fn the_newest_comes_first_and_silence_shows() {
        let mut both = phone("en", Platform::Android, "older");
        let newer = Drawn { body: "newer".into(), silent: true, ..both.notices[0].clone() };
        both.notices.push(newer);
        let drawn = phones(&[both]);
        assert!(drawn.find("newer") < drawn.find("older"));
        assert_eq!((drawn.matches("notice silent").count(), drawn.matches("· silent").count()), (1, 1));
    }

    #[test]
    fn every_element_is_closed_and_nothing_is_fetched() {
        let drawn = phones(&[phone("ko", Platform::Android, "a"), phone("en", Platform::Ios, "b")]);
        for name in ["div", "figure", "figcaption", "strong", "p", "svg", "small"] {
            let opened = drawn.matches(&format!("<{name}>")).count() + drawn.matches(&format!("<{name} ")).count();
            assert!(opened > 0 && opened == drawn.matches(&format!("</{name}>")).count(), "{name}");
        }
        assert!(!drawn.contains("http") && !STYLE.contains("url(") && !STYLE.contains("@import"));
    }
}
