//! What holds for the reader of compressed bodies.

use fallproof_protocol::coding::unpacked;

/// Checks that no more than the limit is unpacked, and that a lower limit gives the first bytes of the
/// same.
pub(crate) fn check(bytes: &[u8]) {
    const MOST: usize = 1 << 20;
    let whole = unpacked(bytes, MOST);
    let few = unpacked(bytes, 7);
    if let Some(whole) = &whole {
        assert!(whole.len() <= MOST, "{} bytes", whole.len());
        let few = few.as_deref().expect("more of it could be unpacked");
        assert_eq!(few, &whole[..few.len()]);
        assert_eq!(few.len(), whole.len().min(7));
    }
    assert!(few.is_none_or(|few| few.len() <= 7));
}
