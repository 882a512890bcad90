//! The catalogue of behaviors that a script can name.

use std::sync::LazyLock;

use serde::Deserialize;

use super::WireFault;

/// A behavior in the catalogue.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The name. Never changes.
    pub name: String,
    /// What the behavior does, in one sentence.
    pub what: String,
    /// The transport faults of the behavior. A script can override each of them.
    #[serde(default)]
    pub wire: WireFault,
    /// Whether the reply is a variant of the success reply and not a provider error.
    #[serde(default)]
    pub is_success: bool,
}

/// All behaviors, in display order; `ok` is the first.
pub fn behaviors() -> &'static [Entry] {
    static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
        serde_saphyr::from_str(include_str!("../../behaviors.yaml")).expect("a test reads the file")
    });
    &ENTRIES
}

/// The names of all [`behaviors`], in the same order.
pub fn behavior_names() -> impl Iterator<Item = &'static str> {
    behaviors().iter().map(|entry| entry.name.as_str())
}

/// The catalogue entry with this name.
pub fn find(name: &str) -> Option<&'static Entry> {
    behaviors().iter().find(|entry| entry.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn behavior_names_are_unique_and_ok_comes_first() {
        let names: HashSet<_> = behavior_names().collect();
        assert_eq!(names.len(), behaviors().len());
        assert_eq!(behaviors()[0].name, "ok");
        assert!(find("server_error").is_some() && find("Server_error").is_none());
    }
}
