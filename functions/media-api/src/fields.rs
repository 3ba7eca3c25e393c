use std::collections::BTreeSet;

use api::{MediaField, MediaItem, Problem};
use store::media::Projection;

/// Those that are made from what a worker made: the last of all.
fn derived() -> impl Iterator<Item = MediaField> {
    MediaField::ALL.into_iter().skip_while(|field| *field != MediaField::Width)
}

/// Those that hold links.
const LINKED: [MediaField; 3] = [MediaField::Variants, MediaField::Waveform, MediaField::Renditions];

/// Which fields of an item a client wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Option<BTreeSet<MediaField>>);

impl Fields {
    /// All of them.
    pub fn all() -> Self {
        Self(None)
    }

    /// Those that are named; there must be one.
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, Problem> {
        let refused = || {
            let all = MediaField::ALL.map(MediaField::as_str).join(", ");
            Problem::invalid_request(format!("`fields` must name some of {all}"))
        };
        let wanted: Option<BTreeSet<_>> = names.into_iter().map(MediaField::named).collect();
        wanted.filter(|wanted| !wanted.is_empty()).map(|wanted| Self(Some(wanted))).ok_or_else(refused)
    }

    /// These; there must be one.
    pub fn some(wanted: Vec<MediaField>) -> Result<Self, Problem> {
        Self::named(wanted.into_iter().map(MediaField::as_str))
    }

    /// How much of the row that takes.
    pub fn detail(&self) -> Projection {
        match &self.0 {
            Some(wanted) if derived().all(|field| !wanted.contains(&field)) => Projection::Brief,
            _ => Projection::Full,
        }
    }

    /// Whether links are wanted.
    pub fn have_links(&self) -> bool {
        self.0.as_ref().is_none_or(|wanted| LINKED.iter().any(|field| wanted.contains(field)))
    }

    /// The item with these fields only; its id is always one.
    pub fn of(&self, mut item: MediaItem) -> MediaItem {
        if let Some(wanted) = &self.0 {
            MediaField::ALL.into_iter().filter(|field| !wanted.contains(field)).for_each(|field| item.clear(field));
        }
        item
    }

    /// The same text for the same fields.
    pub fn text(&self) -> String {
        self.0.as_ref().map_or_else(
            || "*".to_owned(),
            |wanted| wanted.iter().map(|field| field.as_str()).collect::<Vec<_>>().join(","),
        )
    }
}

#[cfg(test)]
mod tests {
    use domain::media::{Kind, MediaId, Visibility};
    use serde_json::json;

    use super::*;

    /// All there may be.
    fn item() -> MediaItem {
        MediaItem {
            id: MediaId::of_key("photo/mina/a.jpg"),
            kind: Some(Kind::Photo),
            owner: Some("mina".into()),
            uploaded_at: Some("2026-11-22T00:00:00.000Z".into()),
            content_type: Some("image/png".into()),
            bytes: Some(7),
            visibility: Some(Visibility::Public),
            post: "p".to_owned().try_into().ok(),
            file_name: "a.png".to_owned().try_into().ok(),
            state: Some(api::MediaState::Ready),
            reason: Some(domain::media::Reason::Empty),
            width: Some(4),
            height: Some(3),
            placeholder: Some(api::Placeholder { thumb_hash: "AA==".into(), colour: "#102030".into() }),
            variants: Some(Vec::new()),
            duration_ms: Some(1_000),
            codec: Some("opus".into()),
            sample_rate: Some(48_000),
            channels: Some(1),
            loudness: Some(api::Loudness { integrated_lufs: None, range_lu: None, true_peak_dbtp: None, gain_db: 0.0 }),
            silence: Some(api::Silence { leading_ms: 0, trailing_ms: 0, pauses: Vec::new() }),
            waveform: Some(api::Waveform { preview: "AA".into(), files: Vec::new() }),
            renditions: Some(Vec::new()),
        }
    }

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
        assert_eq!((brief.detail(), brief.have_links()), (Projection::Brief, false));
        assert_eq!((sized.detail(), sized.have_links()), (Projection::Full, false));
        for (text, linked) in [("renditions", true), ("waveform", true), ("durationMs", false), ("loudness", false)] {
            let fields = named(text).expect("fields");
            assert_eq!((fields.detail(), fields.have_links()), (Projection::Full, linked), "{text}");
        }
        assert_eq!((Fields::all().detail(), Fields::all().have_links()), (Projection::Full, true));
        let id = item().id;
        assert_eq!(json!(brief.of(item())), json!({"id": id, "state": "ready"}));
        assert_eq!(Fields::all().of(item()), item());
    }

    #[test]
    fn every_field_can_be_wanted_by_the_name_that_it_has() {
        assert_eq!(json!(item()).as_object().map(|item| item.len()), Some(MediaField::ALL.len()));
        for field in MediaField::ALL {
            let name = field.as_str();
            assert_eq!(json!(field), json!(name));
            let one = json!(named(name).expect("a field").of(item()));
            let names: Vec<_> = one.as_object().expect("an object").keys().filter(|name| *name != "id").collect();
            assert_eq!(names, if field == MediaField::Id { vec![] } else { vec![name] });
        }
    }
}
