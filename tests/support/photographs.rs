//! The photographs in `tests/photos`.

pub use stack::photographs::Photograph;

/// All photographs, in the order of their names.
pub fn photographs() -> Vec<Photograph> {
    let photographs = stack::photographs::all().expect("photographs");
    assert!(photographs.len() >= 4, "only {} photographs", photographs.len());
    photographs
}

/// The content of the photograph with this file name.
pub fn photograph(name: &str) -> Vec<u8> {
    first(|photograph| photograph.name == name)
}

/// The content of the first photograph of this media type.
pub fn photograph_of_type(content_type: &str) -> Vec<u8> {
    first(|photograph| photograph.content_type == content_type)
}

fn first(matches: impl Fn(&Photograph) -> bool) -> Vec<u8> {
    photographs().into_iter().find(matches).expect("photograph").bytes
}
