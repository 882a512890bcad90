//! Scenarios as YAML: the unchanged text of a file, or one case of a family with its references
//! replaced.

use std::fmt::Write as _;
use std::path::Path;

use super::expand::Expander;
use super::family::{FamilyFile, case_id};
use super::pattern::family;
use crate::yaml::{At, LoadError, Members, Node, Source, quoted};

/// Preferred maximum length of a line.
const WIDTH: usize = 100;

/// Indentation of a nested line, in spaces.
const STEP: usize = 2;

/// The text of a scenario's file, which may be embedded in this program.
pub fn text(file: &Path) -> Result<String, LoadError> {
    Ok(source(file)?.as_str().to_owned())
}

/// Returns the case with this id from a family's file, as the text of a scenario; `None` if the
/// file has no such case.
pub fn case_text(file: &Path, id: &str) -> Result<Option<String>, LoadError> {
    let source = source(file)?;
    let tree = source.tree()?;
    let Node::Members(members) = &tree.value else { return Ok(None) };
    if tree.value.member("matrix").is_none() {
        return Ok(None);
    }
    let read: FamilyFile = source.parse_node(&tree)?;
    let mut problems = Vec::new();
    let axes = read.axes(&source, &mut problems);
    let choices = read.choices(&axes, &source, &mut problems);
    let choice = choices.iter().find(|choice| case_id(family(id), choice) == id);
    Ok(choice.map(|choice| {
        let case = Expander::new(&source, &axes, choice).case(members);
        let case = read.with_level(choice, case);
        let mut out = String::new();
        Writer { source: &source }.members(&case, 0, &mut out);
        out
    }))
}

fn source(file: &Path) -> Result<Source, LoadError> {
    let below = file.strip_prefix("scenarios").ok().filter(|_| !file.exists());
    match below.and_then(|below| fallproof_scenarios::FOLDER.get_file(below)) {
        Some(embedded) => Source::of(file, embedded.contents()),
        None => Source::read(file),
    }
}

/// Writes a tree as YAML. Short and simple values are on one line, others in block style.
struct Writer<'a> {
    source: &'a Source,
}

impl Writer<'_> {
    fn members(&self, members: &Members, indent: usize, out: &mut String) {
        for (key, node) in members {
            let _ = write!(out, "{:indent$}", "");
            self.member(&key.value, node, indent, out);
        }
    }

    /// Writes a key and its value. The caller has already written the indentation of the key.
    fn member(&self, key: &str, node: &At<Node>, indent: usize, out: &mut String) {
        let key = scalar(key);
        if let Node::Text(text) = &node.value
            && is_prose(text)
            && indent + key.len() + text.len() > WIDTH
        {
            let _ = writeln!(out, "{key}: {}", if text.ends_with('\n') { ">" } else { ">-" });
            return wrapped(text, indent + STEP, out);
        }
        if let Some(line) = self.line(node, indent + key.len()) {
            let _ = writeln!(out, "{key}: {line}");
            return;
        }
        let _ = writeln!(out, "{key}:");
        self.block(node, indent + STEP, out);
    }

    fn block(&self, node: &At<Node>, indent: usize, out: &mut String) {
        match &node.value {
            Node::Members(members) => self.members(members, indent, out),
            Node::List(items) => items.iter().for_each(|item| self.item(item, indent, out)),
            Node::Text(_) | Node::Bare(_) => {
                let _ = writeln!(out, "{:indent$}{}", "", self.flow(node));
            }
        }
    }

    fn item(&self, item: &At<Node>, indent: usize, out: &mut String) {
        let _ = write!(out, "{:indent$}- ", "");
        match (&item.value, self.line(item, indent)) {
            (_, Some(line)) => drop(writeln!(out, "{line}")),
            (Node::Members(members), None) => {
                for (index, (key, node)) in members.iter().enumerate() {
                    let before = if index == 0 { 0 } else { indent + STEP };
                    let _ = write!(out, "{:before$}", "");
                    self.member(&key.value, node, indent + STEP, out);
                }
            }
            (_, None) => drop(writeln!(out, "{}", self.flow(item))),
        }
    }

    /// The value on one line, if it is short and simple.
    fn line(&self, node: &At<Node>, before: usize) -> Option<String> {
        let line = self.flow(node);
        let fits = depth(node) == 0 || depth(node) <= 2 && before + line.len() <= WIDTH;
        fits.then_some(line)
    }

    fn flow(&self, node: &At<Node>) -> String {
        match &node.value {
            Node::Text(text) => scalar(text),
            // Numbers, booleans and nulls keep their spelling.
            Node::Bare(value) => match self.source.text(&node.span).trim() {
                "" => value.to_string(),
                spelled => spelled.to_owned(),
            },
            Node::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.flow(item)).collect();
                format!("[{}]", items.join(", "))
            }
            Node::Members(members) if members.is_empty() => "{}".to_owned(),
            Node::Members(members) => {
                let member = |(key, node): (&At<String>, _)| {
                    format!("{}: {}", scalar(&key.value), self.flow(node))
                };
                let members: Vec<_> = members.iter().map(member).collect();
                format!("{{ {} }}", members.join(", "))
            }
        }
    }
}

/// Nesting depth of lists and mappings.
fn depth(node: &At<Node>) -> usize {
    match &node.value {
        Node::Text(_) | Node::Bare(_) => 0,
        Node::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Node::Members(members) => 1 + members.values().map(depth).max().unwrap_or(0),
    }
}

/// Whether the text is one paragraph of words, which can be wrapped at any space.
fn is_prose(text: &str) -> bool {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let is_plain = |character: char| character == ' ' || character.is_ascii_graphic();
    !text.is_empty()
        && text.chars().all(is_plain)
        && text.split(' ').all(|word| !word.is_empty())
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
}

fn wrapped(text: &str, indent: usize, out: &mut String) {
    let mut line = String::new();
    for word in text.split_ascii_whitespace() {
        if !line.is_empty() && indent + line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(out, "{:indent$}{line}", "");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(out, "{:indent$}{line}", "");
}

/// The text on one line, in quotes if YAML would read it as something else.
fn scalar(text: &str) -> String {
    const READ_OTHERWISE: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let is_plain = |character: char| {
        character.is_ascii_alphanumeric()
            || matches!(character, ' ' | '_' | '-' | '.' | '/' | '(' | ')')
    };
    let is_word = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && !text.ends_with(' ')
        && text.chars().all(is_plain)
        && !READ_OTHERWISE.contains(&&*text.to_ascii_lowercase());
    let is_address = text.starts_with("https://")
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/:.-_?=&#%~+".contains(&byte))
        && !text.ends_with(':');
    if is_word || is_address {
        return text.to_owned();
    }
    quoted(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Suite;
    use crate::scenario::load::read;

    #[test]
    fn every_family_has_a_case_that_reads_as_the_scenario_that_it_is() {
        let file = Path::new("case.yaml");
        let suite = Suite::within(&fallproof_scenarios::FOLDER, "scenarios");
        let mut scenarios = suite.unwrap_or_else(|error| panic!("{error}")).scenarios;
        scenarios.retain(|scenario| scenario.id.contains('@'));
        scenarios.dedup_by_key(|scenario| scenario.family().to_owned());
        assert!(!scenarios.is_empty());
        for mut scenario in scenarios {
            let text = case_text(&scenario.file, &scenario.id);
            let text = text.unwrap_or_else(|error| panic!("{error}")).expect("it is a case");
            let read = read(file, text.as_bytes(), &scenario.id);
            let read = read.unwrap_or_else(|error| panic!("{}: {error}\n{text}", scenario.id));
            scenario.file = file.to_owned();
            assert_eq!(read, [scenario], "{text}");
        }
    }
}
