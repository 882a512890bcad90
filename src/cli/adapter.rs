//! Finds an adapter by its name on the command line.

use std::sync::Arc;

use fallproof_runner::adapter::{self, Adapter, FindError};

use super::Stop;

/// Like [`find`], but applies the settings of the variant with this name, if one is given.
pub(super) fn find_variant(
    name: &str,
    variant: Option<&str>,
) -> Result<(Arc<Adapter>, Option<usize>), Stop> {
    let (adapter, version) = find(name)?;
    match variant {
        None => Ok((adapter, version)),
        Some(variant) => {
            let adapter = adapter.variant(variant).map_err(Stop::usage)?;
            Ok((Arc::new(adapter), version))
        }
    }
}

/// The adapter that is called `NAME`, `NAME@VERSION` or by its file, and the version where one is
/// named, as its index among the adapter's.
pub(super) fn find(name: &str) -> Result<(Arc<Adapter>, Option<usize>), Stop> {
    let (name, version) = match name.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (name, None),
    };
    let adapter = adapter::find(name).map_err(|error| match error {
        FindError::File(error) => error.into(),
        unknown @ FindError::Unknown(_) => Stop::usage(unknown),
    })?;
    let Some(version) = version else { return Ok((adapter, None)) };
    let index = adapter.versions().iter().position(|known| known.version == version);
    if index.is_none() {
        let known: Vec<_> = adapter.versions().iter().map(|it| it.version.as_str()).collect();
        return Err(Stop::usage(format!(
            "{}'s adapter was not tested with version {version}, only with {}; to use another \
             installation, pass its path with --program",
            adapter.name,
            known.join(", ")
        )));
    }
    Ok((adapter, index))
}
