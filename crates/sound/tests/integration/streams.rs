//! Streams of frames without a container, cut or joined anywhere.

use std::io::Cursor;

use sound::{Container, FileFormat, OtherFormat, layout};

use crate::signals::{case, fixture, outcome};

fn format(file: &[u8]) -> Result<(FileFormat, u64), &'static str> {
    layout(Cursor::new(file)).map(|layout| (layout.format, layout.start)).map_err(|error| error.code())
}

#[test]
fn delay_of_lame_is_left_out_at_all_rates() {
    // At 24 kHz and less, it spans two packets.
    assert_eq!(outcome(case("mp3-22050-lame.mp3")), Ok(66_150));
    assert_eq!(outcome(fixture("stereo.mp3")), Ok(3 * 44_100));
}

#[test]
fn stream_that_begins_within_a_frame_is_recognised() {
    for (name, container) in [("stereo.mp3", Container::Mpeg), ("aac.aac", Container::Adts)] {
        let file = fixture(name);
        for cut in [1, 2, 50, 101] {
            let (found, start) = format(&file[cut..]).unwrap_or_else(|error| panic!("{name} from {cut}: {error}"));
            assert_eq!(found, FileFormat::Supported(container), "{name} from {cut}");
            assert!((1..1_000).contains(&start), "{name} from {cut}: {start}");
        }
        let mut zeroed = file.clone();
        zeroed[..60].fill(0);
        assert_eq!(format(&zeroed).map(|(found, _)| found), Ok(FileFormat::Supported(container)), "{name}");
    }
}

#[test]
fn aac_that_begins_within_a_frame_is_analysed_from_the_next() {
    let file = fixture("aac.aac");
    let whole = outcome(&file).unwrap();
    for cut in [1, 20, 40] {
        assert_eq!(outcome(&file[cut..]), Ok(whole - 1024), "{cut}");
    }
}

#[test]
fn mp3_whose_format_changes_is_handed_on() {
    let (stereo, voice, hot) = (fixture("stereo.mp3"), fixture("voice.mp3"), fixture("hot.mp3"));
    for (name, files) in [
        ("44.1 kHz stereo, 24 kHz mono", [&stereo, &voice]),
        ("44.1 kHz stereo, 48 kHz mono", [&stereo, &hot]),
        ("24 kHz mono, 44.1 kHz stereo", [&voice, &stereo]),
    ] {
        assert_eq!(outcome(files.map(Vec::as_slice).concat()), Err("needs_other_decoder"), "{name}");
    }
    assert_eq!(outcome(case("mp3-stereo-then-mono.mp3")), Err("needs_other_decoder"));
}

#[test]
fn mpeg_layers_one_and_two_are_handed_on() {
    for (header, length, format) in [
        ([0xff, 0xff, 0xc4, 0x04], 384, OtherFormat::MpegLayer1),
        ([0xff, 0xfd, 0xa4, 0x04], 576, OtherFormat::MpegLayer2),
    ] {
        let mut frame = vec![0; length];
        frame[..4].copy_from_slice(&header);
        let file = frame.repeat(20);
        assert_eq!(layout(Cursor::new(&file)).unwrap().format, FileFormat::Other(format));
        assert_eq!(outcome(&file), Err("needs_other_decoder"));
    }
}

#[test]
fn text_and_pictures_are_no_streams() {
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain("once upon a time".repeat(900).bytes().flat_map(|b| [b, 0])).collect();
    let jpeg = [&b"\xff\xd8\xff\xe0\0\x10JFIF"[..], &[0xff, 0xfb].repeat(4_000)].concat();
    for file in [utf16, jpeg, vec![0xff; 9_000], vec![0; 9_000]] {
        assert_eq!(format(&file), Err("not_audio"), "{:?}", &file[..8]);
    }
}
