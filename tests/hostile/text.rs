//! What no output of Fallproof may contain.

use libtest_mimic::Trial;

/// What an output contains that must not be there, if anything.
pub(crate) fn raw(name: &str, bytes: &[u8], keys: &[String]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    if let Some(key) = keys.iter().find(|key| text.contains(key.as_str())) {
        let is_evidence = name.ends_with("evidence.ndjson.gz");
        // The keys of the deployments are needed to judge the evidence again. They are of no use to
        // anybody else.
        if !(is_evidence && *key != crate::run::KEY) {
            return Some(format!("the key {key}"));
        }
    }
    let is_raw = |it: &char| {
        (it.is_control() && !matches!(it, '\n' | '\t' | '\r'))
            || matches!(it, '\u{61c}' | '\u{200e}' | '\u{200f}')
            || matches!(it, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    // Records of evidence are JSON with all that was received.
    if name.ends_with("evidence.ndjson.gz") {
        return None;
    }
    if let Some(character) = text.chars().find(is_raw) {
        return Some(format!("the character U+{:04X}", u32::from(character)));
    }
    let is_for_people = name.starts_with("std") || name.ends_with("summary.md");
    let is_command = |line: &&str| line.trim_start().starts_with("::") || line.contains("##[");
    text.lines().find(is_command).filter(|_| is_for_people).map(|line| {
        let start: String = line.chars().take(60).collect();
        format!("the command `{start}`")
    })
}

pub(crate) fn trials() -> Vec<Trial> {
    let finds = |name: &str, text: &'static str, what: Option<&'static str>| {
        Trial::test(format!("text::{name}"), move || {
            let found = raw("stdout", text.as_bytes(), &["s3cret-key".to_owned()]);
            let found = found.as_deref();
            if found == what { Ok(()) } else { Err(format!("found {found:?}").into()) }
        })
    };
    vec![
        finds("plain", "a\n\tb: ::c", None),
        finds("escape", "a\u{1b}[2J", Some("the character U+001B")),
        finds("c1", "a\u{9b}2J", Some("the character U+009B")),
        finds("direction", "a\u{202e}b", Some("the character U+202E")),
        finds("command", "a\n  ::error::b", Some("the command `  ::error::b`")),
        finds("key", "the s3cret-key", Some("the key s3cret-key")),
    ]
}
