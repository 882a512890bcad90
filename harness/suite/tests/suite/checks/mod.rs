//! What holds for the loader, whatever bytes it gets. The fuzz target in `fuzz/` checks the same.

pub(crate) mod scenario;
