//! The behaviors that a script may name.

use std::sync::LazyLock;

use serde::Deserialize;

use super::WireFault;

/// A behavior that a script may name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its name, for ever.
    pub name: String,
    /// What happens then, in one sentence.
    pub what: String,
    /// What happens to the reply on its way, unless a script says otherwise.
    #[serde(default)]
    pub wire: WireFault,
    /// Whether the reply is a success that goes another way, and no error of the provider's.
    #[serde(default)]
    pub is_success: bool,
}

/// Every behavior, `ok` first, in the order in which to show them.
pub fn behaviors() -> &'static [Entry] {
    static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
        serde_saphyr::from_str(include_str!("../../behaviors.yaml")).expect("a test reads the file")
    });
    &ENTRIES
}

/// The names of the [`behaviors`].
pub fn behavior_names() -> impl Iterator<Item = &'static str> {
    behaviors().iter().map(|entry| entry.name.as_str())
}

/// The behavior of this name.
pub fn find(name: &str) -> Option<&'static Entry> {
    behaviors().iter().find(|entry| entry.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_behavior_has_a_name_of_its_own_and_ok_comes_first() {
        let names: HashSet<_> = behavior_names().collect();
        assert_eq!(names.len(), behaviors().len());
        assert_eq!(behaviors()[0].name, "ok");
        assert!(find("server_error").is_some() && find("Server_error").is_none());
    }
}
