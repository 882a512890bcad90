//! The structure of the code: no circle between sibling modules, in any crate.
//!
//! A module depends on another where a path in it leads there. A dependency between two modules
//! counts for the two siblings that they stand in (of `a::b` and `a::c::d`: `a::b` and `a::c`). What
//! a module shares with its parent or its children does not count, nor do tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A path of names; that of a module begins below its crate's root, which is empty.
type Names = Vec<String>;

/// The modules of one crate, by their paths, and the text of each.
type Crate = BTreeMap<Names, String>;

#[test]
fn no_crate_has_a_circle_of_sibling_modules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = sources(root);
    assert!(sources.len() > 10, "these are all crates: {sources:?}");
    let mut told = Vec::new();
    for source in sources {
        let circles = circles(&read(&source));
        let name = source.strip_prefix(root).expect("it is below the root").display();
        told.extend(circles.iter().map(|circle| format!("{name}: {circle}")));
    }
    assert!(told.is_empty(), "circles between sibling modules:\n{}", told.join("\n"));
}

#[test]
fn a_crate_whose_doc_tests_are_off_has_none() {
    for source in sources(Path::new(env!("CARGO_MANIFEST_DIR"))) {
        let manifest = source.parent().expect("a crate's folder").join("Cargo.toml");
        let is_off = fs::read_to_string(&manifest).expect("it is text").contains("doctest = false");
        let is_example =
            |text: &String| text.lines().any(|it| it.trim_start().starts_with("/// ```"));
        let has_some = read(&source).values().any(is_example);
        assert!(!(is_off && has_some), "{}: delete `doctest = false`", manifest.display());
    }
}

#[test]
fn a_circle_is_found_wherever_its_paths_lead() {
    let code = |modules: &[(&str, &str)]| -> Crate {
        let names = |path: &str| -> Names {
            path.split("::").filter(|it| !it.is_empty()).map(str::to_owned).collect()
        };
        modules.iter().map(|(path, text)| (names(path), (*text).to_owned())).collect()
    };
    let plain = code(&[
        ("", "pub mod a; mod b;"),
        ("a", "use crate::b::B; // crate::a"),
        ("b", "/* crate::a */ const TEXT: &str = \"crate::a\";"),
    ]);
    assert_eq!(circles(&plain), Vec::<String>::new(), "neither comments nor texts are paths");
    let direct = code(&[("", ""), ("a", "use crate::b::B;"), ("b", "fn f() { crate::a::g() }")]);
    assert_eq!(circles(&direct), ["a ↔ b"]);
    let nested = code(&[
        ("", ""),
        ("x", "mod a; mod b; mod c; use self::{a::A, c::C};"),
        ("x::a", "use super::{Root, b::{self, B}};"),
        ("x::b", "use super::c::deep::Deep;"),
        ("x::c", "pub mod deep;"),
        ("x::c::deep", "use super::super::a::A;"),
    ]);
    assert_eq!(circles(&nested), ["x::a ↔ x::b ↔ x::c"]);
    let exported = code(&[
        ("", "mod a; mod b; pub use a::A; pub use self::b::B as C;"),
        ("a", "use crate::C;"),
        ("b", "use super::A;"),
    ]);
    assert_eq!(circles(&exported), ["a ↔ b"], "what the parent exports is its child's");
    let in_tests = code(&[
        ("", ""),
        ("a", "use crate::b::B;"),
        ("b", "#[cfg(test)]\nmod tests { use crate::a::A; fn f() { if x { y } } }\nfn g() {}"),
    ]);
    assert_eq!(circles(&in_tests), Vec::<String>::new());
}

/// The folders of source of every crate: beside each `Cargo.toml`.
fn sources(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(&folder).expect("a folder").flatten().map(|it| it.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(path);
            } else if name == "Cargo.toml" && folder.join("src").is_dir() {
                found.push(folder.join("src"));
            }
        }
    }
    found.sort();
    found
}

fn read(source: &Path) -> Crate {
    let mut modules = Crate::new();
    let mut folders = vec![source.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(&folder).expect("a folder").flatten().map(|it| it.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let below = path.strip_prefix(source).expect("it is below").with_extension("");
                let mut names: Names =
                    below.iter().map(|it| it.to_string_lossy().into_owned()).collect();
                if matches!(names.last().map(String::as_str), Some("mod" | "lib" | "main")) {
                    names.pop();
                }
                // The program and the library of one crate share a root.
                let text = fs::read_to_string(&path).expect("it is text");
                modules.entry(names).or_default().push_str(&text);
            }
        }
    }
    modules
}

/// Each circle once, as its modules in the order of their names.
fn circles(code: &Crate) -> Vec<String> {
    let parsed: BTreeMap<&Names, Module> =
        code.iter().map(|(names, text)| (names, Module::read(text))).collect();
    let mut needs = BTreeMap::<Names, BTreeSet<Names>>::new();
    for (names, module) in &parsed {
        for path in &module.paths {
            let Some(target) = resolve(&parsed, names, path, 0) else { continue };
            let common = names.iter().zip(&target).take_while(|(one, other)| one == other).count();
            if common < names.len() && common < target.len() {
                let [from, to] = [*names, &target].map(|it| it[..=common].to_vec());
                needs.entry(from).or_default().insert(to);
            }
        }
    }
    let reaches = |from: &Names, to: &Names| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(at) = next.pop() {
            for further in needs.get(at).into_iter().flatten() {
                if further == to {
                    return true;
                }
                if seen.insert(further) {
                    next.push(further);
                }
            }
        }
        false
    };
    let mut circles = BTreeSet::new();
    for from in needs.keys().filter(|from| reaches(from, from)) {
        let circle = needs.keys().filter(|it| reaches(from, it) && reaches(it, from));
        circles.insert(circle.map(|it| it.join("::")).collect::<Vec<_>>().join(" ↔ "));
    }
    circles.into_iter().collect()
}

/// The module that a path within `from` leads to; through what modules on the way import.
fn resolve(
    code: &BTreeMap<&Names, Module>,
    from: &Names,
    path: &[String],
    depth: usize,
) -> Option<Names> {
    let mut rest = path;
    let mut at = match rest.first()?.as_str() {
        "crate" => Names::new(),
        "self" => from.clone(),
        "super" => from[..from.len().checked_sub(1)?].to_vec(),
        // A child of the module itself.
        name => [&from[..], &[name.to_owned()]].concat(),
    };
    code.get(&at)?;
    rest = &rest[1..];
    while let [name, further @ ..] = rest {
        let below = if name == "super" {
            at[..at.len().checked_sub(1)?].to_vec()
        } else {
            [&at[..], std::slice::from_ref(name)].concat()
        };
        if !code.contains_key(&below) {
            break;
        }
        (at, rest) = (below, further);
    }
    let exported = rest.first().and_then(|name| code.get(&at)?.imports.get(name));
    match exported {
        // What a module brings into scope may be named by its own children, too.
        Some(path) if depth < 8 => resolve(code, &at, path, depth + 1).or(Some(at)),
        _ => Some(at),
    }
}

/// What a module's text tells of its dependencies.
#[derive(Default)]
struct Module {
    /// Every path that begins in this crate.
    paths: Vec<Names>,
    /// Names that are brought into scope, and the paths that they stand for.
    imports: BTreeMap<String, Names>,
}

impl Module {
    fn read(text: &str) -> Self {
        let tokens = without_tests(&tokens(text));
        let mut module = Self::default();
        let mut at = 0;
        while at < tokens.len() {
            if tokens[at] == "use" {
                let mut prefix = Names::new();
                at = module.import(&tokens, at + 1, &mut prefix);
            } else if matches!(tokens[at].as_str(), "crate" | "self" | "super")
                && tokens.get(at + 1).is_some_and(|it| it == "::")
            {
                let mut path = vec![tokens[at].clone()];
                while tokens.get(at + 1).is_some_and(|it| it == "::") && at + 2 < tokens.len() {
                    path.push(tokens[at + 2].clone());
                    at += 2;
                }
                module.paths.push(path);
                at += 1;
            } else {
                at += 1;
            }
        }
        module
    }

    /// Reads one tree of a `use`; gives where it ends.
    fn import(&mut self, tokens: &[String], mut at: usize, prefix: &mut Names) -> usize {
        let length = prefix.len();
        while at < tokens.len() {
            match tokens[at].as_str() {
                "{" => {
                    at += 1;
                    while at < tokens.len() && tokens[at] != "}" {
                        at = self.import(tokens, at, prefix);
                        at += usize::from(tokens.get(at).is_some_and(|it| it == ","));
                    }
                    prefix.truncate(length);
                    return at + 1;
                }
                "::" => at += 1,
                name => {
                    prefix.push(name.to_owned());
                    at += 1;
                    if tokens.get(at).is_none_or(|it| it != "::") {
                        break;
                    }
                }
            }
        }
        let mut path = prefix.clone();
        if path.last().is_some_and(|it| it == "self" && path.len() > 1) {
            path.pop();
        }
        let mut name = path.last().cloned().unwrap_or_default();
        if tokens.get(at).is_some_and(|it| it == "as") {
            name = tokens.get(at + 1).cloned().unwrap_or_default();
            at += 2;
        }
        self.paths.push(path.clone());
        self.imports.insert(name, path);
        prefix.truncate(length);
        at
    }
}

/// Names, `::`, braces and other marks; comments, texts and characters left out.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = text_literal(rest) {
            length
        } else if first.is_alphabetic() || first == '_' {
            let is_part = |c: char| c.is_alphanumeric() || c == '_';
            let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            tokens.push(rest[..length].to_owned());
            length
        } else if rest.starts_with("::") {
            tokens.push("::".to_owned());
            2
        } else {
            if !first.is_whitespace() {
                tokens.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[skipped..];
    }
    tokens
}

/// The length of the text or character that stands here, if one does.
fn text_literal(rest: &str) -> Option<usize> {
    let start = rest.trim_start_matches(['b', 'c']);
    let prefix = rest.len() - start.len();
    if let Some(raw) = start.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let inner = raw[hashes..].strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(prefix + 1 + hashes + 1 + inner.find(&end)? + end.len());
    }
    let mark = start.chars().next().filter(|it| matches!(it, '"' | '\''))?;
    if prefix > 1 {
        return None;
    }
    // A mark before a name that has no second one behind its first letter is a lifetime's.
    let mut after = start[1..].chars();
    if mark == '\'' && after.next() != Some('\\') && after.next() != Some('\'') {
        return None;
    }
    let mut escaped = false;
    let end = start[1..].find(|c| {
        let closes = c == mark && !escaped;
        escaped = c == '\\' && !escaped;
        closes
    })?;
    Some(prefix + 1 + end + 1)
}

/// The tokens without the modules that are there for tests only.
fn without_tests(tokens: &[String]) -> Vec<String> {
    const TESTS: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let is_for_tests = tokens[at..].len() > TESTS.len() + 1
            && tokens[at..].iter().zip(TESTS).all(|(token, test)| token == test)
            && tokens[at + TESTS.len()] == "mod";
        if !is_for_tests {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        let mut depth = 0_usize;
        at += TESTS.len();
        while at < tokens.len() {
            match tokens[at].as_str() {
                "{" => depth += 1,
                "}" if depth == 1 => break,
                "}" => depth = depth.saturating_sub(1),
                // A module in a file of its own.
                ";" if depth == 0 => break,
                _ => {}
            }
            at += 1;
        }
        at += 1;
    }
    kept
}
