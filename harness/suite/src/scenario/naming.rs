//! Rules for ids, and for the names of tags, deployments, groups and axes.

use std::path::Path;

use crate::yaml::{Diagnostic, LoadError};

/// Whether the name consists of lower-case letters, digits and `-`.
pub(super) fn is_kebab_case(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.bytes().all(fits)
}

/// Whether the text is a valid id of a scenario or a family.
pub fn is_id(text: &str) -> bool {
    text.split('/').all(is_kebab_case)
}

/// Maximum length of the id of a case, in bytes. It is limited because HAR files are named after
/// it.
pub const LONGEST_ID: usize = 250;

/// Whether the text is a valid id of a case: the id of a scenario, or the id of a family followed
/// by `@` and a value of each axis.
pub fn is_case_id(text: &str) -> bool {
    let (id, words) = text.split_once('@').unwrap_or((text, "none"));
    text.len() <= LONGEST_ID && is_id(id) && words.split('.').all(is_kebab_case)
}

/// The id of the scenario or family at this path, relative to the suite's folder.
pub(super) fn id(below: &Path, file: &Path) -> Result<String, LoadError> {
    let id = spelled_as_id(below);
    if is_id(&id) && below.extension().is_some_and(|it| it == "yaml") {
        Ok(id)
    } else {
        let message = "the path of a scenario has only lower-case letters, digits and `-`";
        Err(Diagnostic::about_file(file, message).help("it is the scenario's permanent id").into())
    }
}

/// The path, relative to the suite's folder, in the format of an id.
pub(super) fn spelled_as_id(below: &Path) -> String {
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    let path = parts.join("/");
    path.strip_suffix(".yaml").unwrap_or(&path).to_owned()
}
