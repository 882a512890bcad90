//! What holds for each reader of this crate, whatever bytes it gets. The fuzz targets in `fuzz/` check
//! the same.

pub(crate) mod coding;
pub(crate) mod http;
pub(crate) mod json;
pub(crate) mod multipart;
pub(crate) mod sse;
