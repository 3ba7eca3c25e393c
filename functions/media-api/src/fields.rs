use std::collections::BTreeSet;

use function_kit::http::Problem;
use serde::Serialize;
use serde_json::Value;
use store::media::Detail;

/// What an item may have, as clients name it; `id` is always there.
const ALL: [&str; 23] = [
    "id",
    "kind",
    "owner",
    "uploadedAt",
    "contentType",
    "bytes",
    "visibility",
    "post",
    "fileName",
    "state",
    "reason",
    "width",
    "height",
    "placeholder",
    "variants",
    "durationMs",
    "codec",
    "sampleRate",
    "channels",
    "loudness",
    "silence",
    "waveform",
    "renditions",
];

/// Those that are made from what a worker made: the last of all.
fn derived() -> impl Iterator<Item = &'static str> {
    ALL.into_iter().skip_while(|name| *name != "width")
}

/// Those that hold links.
const LINKED: [&str; 3] = ["variants", "waveform", "renditions"];

/// Which fields of an item a client wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Option<BTreeSet<&'static str>>);

impl Fields {
    /// All of them.
    pub fn all() -> Self {
        Self(None)
    }

    /// Those that are named; there must be one.
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, Problem> {
        let find = |name: &str| ALL.into_iter().find(|known| *known == name);
        let refused = || Problem::invalid_request(format!("`fields` must name some of {}", ALL.join(", ")));
        let mut wanted = BTreeSet::new();
        for name in names {
            wanted.insert(find(name).ok_or_else(refused)?);
        }
        if wanted.is_empty() { Err(refused()) } else { Ok(Self(Some(wanted))) }
    }

    /// How much of the row that takes.
    pub fn detail(&self) -> Detail {
        match &self.0 {
            Some(wanted) if derived().all(|name| !wanted.contains(name)) => Detail::Brief,
            _ => Detail::Full,
        }
    }

    /// Whether links are wanted.
    pub fn have_links(&self) -> bool {
        self.0.as_ref().is_none_or(|wanted| LINKED.iter().any(|name| wanted.contains(name)))
    }

    /// The item with these fields only.
    pub fn of<T: Serialize>(&self, item: T) -> Selected<T> {
        let Some(wanted) = &self.0 else { return Selected::Whole(item) };
        // An item is an object whose keys are strings: that this fails is not possible.
        let mut value = serde_json::to_value(item).unwrap_or_default();
        if let Some(fields) = value.as_object_mut() {
            fields.retain(|name, _| name == "id" || wanted.contains(name.as_str()));
        }
        Selected::Part(value)
    }

    /// The same text for the same fields.
    pub fn text(&self) -> String {
        self.0.as_ref().map_or_else(|| "*".to_owned(), |wanted| wanted.iter().copied().collect::<Vec<_>>().join(","))
    }
}

/// An item, or what was wanted of it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Selected<T> {
    Whole(T),
    Part(Value),
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(text: &str) -> Result<Fields, u16> {
        Fields::named(text.split(',')).map_err(|problem| problem.status)
    }

    #[test]
    fn only_what_is_known_can_be_wanted() {
        for text in ["", "key", "id,", "Id", "id,position", "derived"] {
            assert_eq!(named(text), Err(400), "{text}");
        }
        assert_eq!(named("state,id,state").map(|fields| fields.text()), Ok("id,state".to_owned()));
    }

    #[test]
    fn only_what_is_wanted_is_read_signed_and_shown() {
        let (brief, sized) = (named("state").expect("fields"), named("width").expect("fields"));
        assert_eq!((brief.detail(), brief.have_links()), (Detail::Brief, false));
        assert_eq!((sized.detail(), sized.have_links()), (Detail::Full, false));
        for (text, linked) in [("renditions", true), ("waveform", true), ("durationMs", false), ("loudness", false)] {
            let fields = named(text).expect("fields");
            assert_eq!((fields.detail(), fields.have_links()), (Detail::Full, linked), "{text}");
        }
        assert_eq!((Fields::all().detail(), Fields::all().have_links()), (Detail::Full, true));
        let item = json!({"id": "x", "state": "ready", "owner": "mina"});
        assert_eq!(json!(brief.of(&item)), json!({"id": "x", "state": "ready"}));
        assert_eq!(json!(Fields::all().of(&item)), item);
    }
}
