use proptest::prelude::*;

use super::*;
use crate::media::{
    Declared, File, Intent, Loudness, ObjectChange, ObjectEvent, ObjectVersion, Picture, Reason, Rendition, Silence,
    Sound, Variant, Waveform, sound_key, variant_key,
};

const SIZE: u64 = 7;

fn sequencer(text: &str) -> Sequencer {
    Sequencer::parse(text).expect("a sequencer")
}

fn declared(visibility: Visibility) -> Declared {
    Declared { content_type: None, intent: Intent { visibility, ..Intent::default() } }
}

fn current(visibility: Visibility) -> CurrentObject {
    CurrentObject { size: SIZE, declared: declared(visibility), lane: Lane::Fast }
}

fn picture(keys: impl IntoIterator<Item = String>) -> Derivatives {
    let variant = |key| Variant { key, content_type: "image/webp".to_owned(), width: 8, height: 8, size: 1 };
    Derivatives::Picture(Picture {
        width: 8,
        height: 8,
        thumb_hash: String::new(),
        dominant_colour: "#000000".to_owned(),
        variants: keys.into_iter().map(variant).collect(),
    })
}

fn sound(key: impl Fn(&str) -> String) -> Derivatives {
    let file = |extension| File { key: key(extension), size: 1 };
    Derivatives::Sound(Box::new(Sound {
        duration_ms: 1,
        codec: "aac_lc".to_owned(),
        rate_hz: 48_000,
        channels: 1,
        loudness: Loudness {
            integrated_lufs: None,
            range_lu: None,
            true_peak_dbtp: None,
            gain_db: 0.0,
            limited: false,
        },
        silence: Silence { leading_ms: 0, trailing_ms: 0, pauses: vec![] },
        waveform: Waveform { preview: String::new(), json: file("json"), binary: file("dat") },
        renditions: vec![Rendition {
            file: file("opus"),
            content_type: "audio/ogg".to_owned(),
            channels: 1,
            rate_hz: 48_000,
        }],
    }))
}

/// The report of a worker that does its work.
fn honest(kind: Kind, visibility: Visibility) -> Report {
    let event = ObjectEvent {
        key: format!("{kind}/mina/a"),
        at: "2026-11-22T00:00:00Z".parse().expect("a time"),
        sequencer: sequencer("0B"),
        change: ObjectChange::Created { size: SIZE, version: ObjectVersion::of_etag("e") },
    };
    let original = Original::of(&event, SIZE, declared(visibility)).expect("owned");
    let (id, sequencer) = (original.id, original.sequencer.clone());
    let derived = match Worker::of(kind) {
        Worker::Pictures => picture([variant_key(id, &sequencer, visibility, (8, 8), "c0ffee", "webp")]),
        Worker::Sound => sound(|extension| sound_key(id, &sequencer, visibility, "c0ffee", extension)),
    };
    Report { original, outcome: Outcome::Ready(derived), detected_type: None }
}

fn check(report: &Report, sender: Option<Worker>, current: CurrentObject) -> Result<Option<Report>, ForgedReport> {
    report.check_identity(sender)?;
    report.clone().with_object(current)
}

#[test]
fn honest_report_passes() {
    for kind in Kind::ALL {
        for visibility in Visibility::ALL {
            let report = honest(kind, visibility);
            for sender in [Some(Worker::of(kind)), None] {
                assert_eq!(check(&report, sender, current(visibility)), Ok(Some(report.clone())));
            }
            let failed = Report { outcome: Outcome::Failed { reason: Reason::Corrupt }, ..report };
            assert_eq!(check(&failed, Some(Worker::of(kind)), current(visibility)), Ok(Some(failed.clone())));
        }
    }
}

#[test]
fn report_about_a_replaced_object_is_left_out() {
    let report = honest(Kind::Photo, Visibility::Public);
    assert_eq!(check(&report, None, current(Visibility::Private)), Ok(None));
    assert_eq!(check(&report, None, CurrentObject { size: SIZE + 1, ..current(Visibility::Public) }), Ok(None));
}

#[test]
fn declaration_is_that_of_the_object() {
    let mut report = honest(Kind::Photo, Visibility::Public);
    report.original.declared.intent.post = "another".to_owned().try_into().ok();
    let checked = check(&report, None, current(Visibility::Public)).expect("honest").expect("current");
    assert_eq!(checked.original.declared, declared(Visibility::Public));
}

#[test]
fn report_about_another_kind_is_forged() {
    for kind in Kind::ALL {
        let other = match Worker::of(kind) {
            Worker::Pictures => Worker::Sound,
            Worker::Sound => Worker::Pictures,
        };
        let mut report = honest(kind, Visibility::Public);
        assert_eq!(report.check_identity(Some(other)), Err(ForgedReport::Sender));
        report.outcome = Outcome::Failed { reason: Reason::Corrupt };
        assert_eq!(report.check_identity(Some(other)), Err(ForgedReport::Sender));
    }
}

/// One change of an honest report, with what it has to end in.
fn forgeries() -> impl Strategy<Value = (Kind, Visibility, Report)> {
    let kinds = prop::sample::select(Kind::ALL.to_vec());
    let visibilities = prop::sample::select(Visibility::ALL.to_vec());
    (kinds, visibilities, 0..9_u8, "[a-z/.]{1,12}", "[1-9A-F]{1,20}").prop_map(
        |(kind, visibility, forgery, text, hex)| {
            let mut report = honest(kind, visibility);
            let (id, generation) = (report.original.id, report.original.sequencer.clone());
            let key = |id, sequencer: &Sequencer, visibility| match Worker::of(kind) {
                Worker::Pictures => variant_key(id, sequencer, visibility, (8, 8), "c0ffee", "webp"),
                Worker::Sound => sound_key(id, sequencer, visibility, "c0ffee", "opus"),
            };
            let named = |key: String| match Worker::of(kind) {
                Worker::Pictures => Outcome::Ready(picture([key])),
                Worker::Sound => Outcome::Ready(sound(|_| key.clone())),
            };
            match forgery {
                0 => report.original.id = MediaId::of_key(&text),
                1 => report.original.owner += &text,
                2 => report.original.key = format!("{text}/{}", report.original.key),
                3 => report.original.kind = if kind == Kind::Photo { Kind::Avatar } else { Kind::Photo },
                // Files of another item, generation, visibility, form or worker.
                4 => report.outcome = named(key(MediaId::of_key(&text), &generation, visibility)),
                5 => report.outcome = named(key(id, &sequencer(&hex), visibility)),
                6 => {
                    let other = if visibility == Visibility::Public { Visibility::Private } else { Visibility::Public };
                    report.outcome = named(key(id, &generation, other));
                }
                7 => {
                    report.outcome = named(key(id, &generation, visibility).replace("c0ffee", &format!("../{text}/*")))
                }
                _ => {
                    report.outcome = match Worker::of(kind) {
                        Worker::Pictures => {
                            Outcome::Ready(sound(|extension| format!("{id}/{generation}/1.{extension}")))
                        }
                        Worker::Sound => Outcome::Ready(picture([])),
                    }
                }
            }
            (kind, visibility, report)
        },
    )
}

proptest! {
    #[test]
    fn forged_report_is_refused((kind, visibility, report) in forgeries()) {
        let sender = Some(Worker::of(kind));
        // A generation or id may be the item's own by chance.
        prop_assume!(report != honest(kind, visibility));
        prop_assert!(check(&report, sender, current(visibility)).is_err(), "{report:?}");
    }
}
