//! What holds for the readers of evidence and of reports, whatever bytes it gets. The fuzz targets in `fuzz/` check the
//! same.

pub(crate) mod evidence;
pub(crate) mod report;
