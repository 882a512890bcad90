//! A short silence in each audio format, with a title as metadata.

use crc::{Algorithm, Crc};

/// Samples per second.
const RATE: u32 = 24_000;

/// The CRC of Ogg pages.
const OGG_SUM: Algorithm<u32> = Algorithm {
    width: 32,
    poly: 0x04c1_1db7,
    init: 0,
    refin: false,
    refout: false,
    xorout: 0,
    check: 0x89a1_897f,
    residue: 0,
};

/// 20 ms of 16-bit samples in an uncompressed file.
pub(super) fn wav(title: &str) -> Vec<u8> {
    let mut format = vec![1, 0, 1, 0];
    format.extend(RATE.to_le_bytes());
    format.extend((2 * RATE).to_le_bytes());
    format.extend([2, 0, 16, 0]);
    let title = riff(*b"INAM", &[title.as_bytes(), b"\0"].concat());
    let chunks = [
        b"WAVE".to_vec(),
        riff(*b"fmt ", &format),
        riff(*b"LIST", &[b"INFO".as_slice(), &title].concat()),
        riff(*b"data", &[0; 960]),
    ];
    riff(*b"RIFF", &chunks.concat())
}

/// Raw samples. The format has no metadata, so the title's bytes are the first samples.
pub(super) fn pcm(title: &str) -> Vec<u8> {
    let mut samples = title.as_bytes().to_vec();
    samples.resize(960, 0);
    samples
}

/// Three MPEG-1 Layer III frames: 32 kbit/s, 32 kHz, mono.
pub(super) fn mp3(title: &str) -> Vec<u8> {
    let mut frame = vec![0xff, 0xfb, 0x18, 0xc0];
    frame.resize(144, 0);
    [id3(title), frame.repeat(3)].concat()
}

/// Three ADTS frames: AAC LC, 24 kHz, mono.
pub(super) fn aac(title: &str) -> Vec<u8> {
    // The header, one channel without frequency bands, and the end of the frame.
    let frame = [0xff, 0xf1, 0x58, 0x40, 0x01, 0x7f, 0xfc, 0, 0, 0, 7];
    [id3(title), frame.repeat(3)].concat()
}

/// A FLAC header without frames.
pub(super) fn flac(title: &str) -> Vec<u8> {
    let mut info = vec![0x10, 0, 0x10, 0, 0, 0, 0, 0, 0, 0];
    // Rate, channels minus one, bits per sample minus one, number of samples (unknown).
    info.extend((u64::from(RATE) << 44 | 15 << 36).to_be_bytes());
    info.resize(34, 0);
    let block = |kind: u8, data: &[u8]| [&[kind][..], &u24(data.len()), data].concat();
    [b"fLaC".to_vec(), block(0, &info), block(0x84, &comments(title))].concat()
}

/// One Opus packet of 20 ms that contains no audio data.
pub(super) fn opus(title: &str) -> Vec<u8> {
    let head = [b"OpusHead\x01\x01\0\0".as_slice(), &RATE.to_le_bytes(), &[0, 0, 0]].concat();
    let tags = [b"OpusTags".as_slice(), &comments(title)].concat();
    [ogg(2, 0, 0, &head), ogg(0, 0, 1, &tags), ogg(4, 960, 2, &[0xf8])].concat()
}

/// A chunk of a RIFF file, padded to an even length.
fn riff(name: [u8; 4], data: &[u8]) -> Vec<u8> {
    let padding: &[u8] = if data.len().is_multiple_of(2) { b"" } else { b"\0" };
    [&name, &u32_of(data.len()).to_le_bytes(), data, padding].concat()
}

/// The ID3 tag that precedes MPEG audio: version 2.3, with a title in Latin-1.
fn id3(title: &str) -> Vec<u8> {
    let text = [b"\0", title.as_bytes()].concat();
    let frame = [b"TIT2".as_slice(), &u32_of(text.len()).to_be_bytes(), &[0, 0], &text].concat();
    let size = u8::try_from(frame.len()).expect("the tag is short");
    [b"ID3\x03\0\0\0\0\0".as_slice(), &[size], &frame].concat()
}

/// Comments in the format that FLAC and Opus share.
fn comments(title: &str) -> Vec<u8> {
    let text = |text: &str| [&u32_of(text.len()).to_le_bytes(), text.as_bytes()].concat();
    [text("fallproof"), 1_u32.to_le_bytes().to_vec(), text(&format!("TITLE={title}"))].concat()
}

/// An Ogg page that holds a single packet of less than 255 bytes.
fn ogg(kind: u8, position: u64, sequence: u32, packet: &[u8]) -> Vec<u8> {
    let size = u8::try_from(packet.len()).expect("the packet is short");
    let mut page = [b"OggS\0".as_slice(), &[kind], &position.to_le_bytes(), &[1, 0, 0, 0]].concat();
    page.extend(sequence.to_le_bytes());
    page.extend([0, 0, 0, 0, 1, size]);
    page.extend(packet);
    let sum = Crc::<u32>::new(&OGG_SUM).checksum(&page);
    page[22..26].copy_from_slice(&sum.to_le_bytes());
    page
}

fn u32_of(length: usize) -> u32 {
    u32::try_from(length).expect("the length fits into 32 bits")
}

fn u24(length: usize) -> [u8; 3] {
    let [_, a, b, c] = u32_of(length).to_be_bytes();
    [a, b, c]
}

#[cfg(test)]
mod tests {
    use super::*;

    const TITLE: &str = "fp-0123456789abcdef";

    #[test]
    fn a_wav_has_valid_lengths() {
        let audio = wav(TITLE);
        let length = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| audio[at + byte]));
        assert_eq!(length(4) as usize, audio.len() - 8);
        let mut at = 12;
        let mut names = Vec::new();
        while at < audio.len() {
            names.push(String::from_utf8_lossy(&audio[at..at + 4]).into_owned());
            at += 8 + length(at + 4) as usize;
        }
        assert_eq!((names, at), (["fmt ", "LIST", "data"].map(String::from).to_vec(), audio.len()));
    }

    #[test]
    fn every_format_has_its_signature_and_title() {
        let starts: [(Vec<u8>, &[u8]); 5] = [
            (wav(TITLE), b"RIFF"),
            (mp3(TITLE), b"ID3"),
            (aac(TITLE), b"ID3"),
            (flac(TITLE), b"fLaC"),
            (opus(TITLE), b"OggS"),
        ];
        for (audio, start) in starts {
            assert!(audio.starts_with(start));
            assert!(audio.windows(TITLE.len()).any(|it| it == TITLE.as_bytes()));
        }
        assert_eq!(mp3(TITLE)[10 + usize::from(mp3(TITLE)[9])..][..2], [0xff, 0xfb]);
        assert_eq!(OGG_SUM.check, Crc::<u32>::new(&OGG_SUM).checksum(b"123456789"));
    }
}
