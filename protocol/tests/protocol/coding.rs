//! Compressed bodies.

use fallproof_protocol::coding::{Coding, unpacked};
use proptest::prelude::*;

use crate::checks::coding::check;
use crate::mutation::{each, inputs};

#[test]
fn no_bytes_unpack_to_more_than_the_limit() {
    let text = b"data: {\"delta\":\"lorem ipsum\"}\n\n".repeat(20);
    let mut valid = vec![Coding::Gzip.packed([&text[..], b"end"]).concat()];
    valid.push(Coding::Zstd.packed([&text[..], b"end"]).concat());
    valid.push(Coding::Zstd.packed([&vec![0; 300_000][..]]).concat());
    each(150, &inputs(valid, &["\u{1f}", "\0", "("]), |bytes| check(&bytes));
}

#[test]
fn what_was_packed_is_unpacked_and_a_cut_loses_only_the_end() {
    let pieces = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 1..5);
    let inputs = (pieces, prop::sample::select(vec![Coding::Gzip, Coding::Zstd]), any::<u16>());
    each(150, &inputs, |(pieces, coding, cut)| {
        let plain = pieces.concat();
        let packed = coding.packed(pieces.iter().map(Vec::as_slice)).concat();
        assert_eq!(unpacked(&packed, usize::MAX), Some(plain.clone()), "{coding:?}");
        let cut = usize::from(cut) % packed.len();
        let part = unpacked(&packed[..cut], usize::MAX).unwrap_or_default();
        assert!(plain.starts_with(&part), "{coding:?} cut at {cut}");
    });
}
