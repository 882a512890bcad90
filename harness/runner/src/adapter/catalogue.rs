//! The built-in adapters, and adapters from files.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use include_dir::{Dir, include_dir};

use super::file::Adapter;
use fallproof_suite::yaml::{LoadError, Source, nearest};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/adapters");

static ADAPTERS: LazyLock<Vec<Arc<Adapter>>> = LazyLock::new(|| {
    let mut adapters: Vec<_> = FILES
        .files()
        .filter(|file| file.path().extension().is_some_and(|it| it == "yaml"))
        .map(|file| {
            let path = Path::new("harness/runner/adapters").join(file.path());
            let adapter = Source::new(&path, file.contents())
                .and_then(|source| Adapter::parse(&stem(&path), source))
                .unwrap_or_else(|error| panic!("the built-in adapters are tested:\n{error}"));
            Arc::new(adapter)
        })
        .collect();
    adapters.sort_by(|one, other| one.id.cmp(&other.id));
    adapters
});

/// Returns the built-in adapters, sorted by name.
pub fn all() -> &'static [Arc<Adapter>] {
    &ADAPTERS
}

/// An adapter that was not found or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// No built-in adapter has this name. Holds the name.
    #[error("there is no adapter `{0}`; {hint}", hint = hint(.0))]
    Unknown(String),
    /// The file is invalid.
    #[error(transparent)]
    File(#[from] LoadError),
}

fn hint(unknown: &str) -> String {
    match nearest(unknown, all().iter().map(|adapter| adapter.id.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`fallproof list adapters` lists them".to_owned(),
    }
}

/// Returns the built-in adapter of this name or, if the name looks like a path, the adapter in that
/// file.
pub fn find(name: &str) -> Result<Arc<Adapter>, FindError> {
    let path = Path::new(name);
    let is_file = path.extension().is_some_and(|it| it == "yaml" || it == "yml");
    if is_file || path.components().count() > 1 {
        return Ok(Arc::new(read(path)?));
    }
    all()
        .iter()
        .find(|adapter| adapter.id == name)
        .cloned()
        .ok_or_else(|| FindError::Unknown(name.to_owned()))
}

/// Reads the adapter in a file.
pub fn read(file: &Path) -> Result<Adapter, LoadError> {
    let mut adapter = Source::read(file).and_then(|source| Adapter::parse(&stem(file), source))?;
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    adapter.folder = file.parent().map(Path::to_owned);
    Ok(adapter)
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}
