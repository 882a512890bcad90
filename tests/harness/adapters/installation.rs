//! Where gateways are found, and which version they have.

use rstest::rstest;

use super::support::{MINIMAL, read};

/// An adapter whose gateway is a program that every Unix has.
fn shell(versions: &str) -> String {
    let start = MINIMAL.find("versions:").expect("it has them");
    format!(
        "{}versions: {versions}\nlaunch: {{ program: sh, ready: {{ seconds: 1 }} }}\n",
        &MINIMAL[..start]
    )
}

#[cfg(unix)]
#[rstest]
#[case::not_installed_by_commands("[]", true)]
#[case::installed_by_commands("[make it]", false)]
fn a_version_without_commands_is_searched_on_the_path(
    #[case] install: &str,
    #[case] is_found: bool,
) {
    let versions = format!("[{{ version: 1.0.0, install: {install} }}]");
    let adapter = read(&shell(&versions)).expect("it is valid");
    assert_eq!(adapter.locate(None, Some(&adapter.versions()[0])).is_ok(), is_found);
    assert!(adapter.locate(None, None).is_ok());
}
