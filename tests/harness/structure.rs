//! The structure of the code: no crate has dependency cycles between sibling modules.
//!
//! A module depends on another module if it contains a path into that module. A dependency counts
//! for the two siblings that contain the modules: a dependency of `a::b` on `a::c::d` counts for
//! `a::b` and `a::c`. Dependencies on a parent or child do not count, and neither do those of
//! tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A path of names. Module paths are relative to the crate's root, whose path is empty.
type Names = Vec<String>;

/// The source text of each module of a crate, by path.
type Crate = BTreeMap<Names, String>;

#[test]
fn no_crate_has_a_cycle_of_sibling_modules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = sources(root);
    assert!(sources.len() > 10, "expected all crates, got {sources:?}");
    let mut found = Vec::new();
    for source in sources {
        let cycles = cycles(&read(&source));
        let name = source.strip_prefix(root).expect("a path below the root").display();
        found.extend(cycles.iter().map(|cycle| format!("{name}: {cycle}")));
    }
    assert!(found.is_empty(), "cycles between sibling modules:\n{}", found.join("\n"));
}

#[test]
fn a_crate_with_disabled_doc_tests_has_none() {
    for source in sources(Path::new(env!("CARGO_MANIFEST_DIR"))) {
        let manifest = source.parent().expect("a crate's folder").join("Cargo.toml");
        let is_off =
            fs::read_to_string(&manifest).expect("a UTF-8 file").contains("doctest = false");
        let is_example =
            |text: &String| text.lines().any(|it| it.trim_start().starts_with("/// ```"));
        let has_some = read(&source).values().any(is_example);
        assert!(!(is_off && has_some), "{}: delete `doctest = false`", manifest.display());
    }
}

#[test]
fn cycles_are_found_through_all_kinds_of_paths() {
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
    assert_eq!(cycles(&plain), Vec::<String>::new(), "comments and strings are not paths");
    let direct = code(&[("", ""), ("a", "use crate::b::B;"), ("b", "fn f() { crate::a::g() }")]);
    assert_eq!(cycles(&direct), ["a ↔ b"]);
    let nested = code(&[
        ("", ""),
        ("x", "mod a; mod b; mod c; use self::{a::A, c::C};"),
        ("x::a", "use super::{Root, b::{self, B}};"),
        ("x::b", "use super::c::deep::Deep;"),
        ("x::c", "pub mod deep;"),
        ("x::c::deep", "use super::super::a::A;"),
    ]);
    assert_eq!(cycles(&nested), ["x::a ↔ x::b ↔ x::c"]);
    let exported = code(&[
        ("", "mod a; mod b; pub use a::A; pub use self::b::B as C;"),
        ("a", "use crate::C;"),
        ("b", "use super::A;"),
    ]);
    assert_eq!(cycles(&exported), ["a ↔ b"], "a re-export of the parent belongs to the child");
    let in_tests = code(&[
        ("", ""),
        ("a", "use crate::b::B;"),
        ("b", "#[cfg(test)]\nmod tests { use crate::a::A; fn f() { if x { y } } }\nfn g() {}"),
    ]);
    assert_eq!(cycles(&in_tests), Vec::<String>::new());
}

/// The source folder of every crate, next to its `Cargo.toml`.
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
                let below =
                    path.strip_prefix(source).expect("a path below the folder").with_extension("");
                let mut names: Names =
                    below.iter().map(|it| it.to_string_lossy().into_owned()).collect();
                if matches!(names.last().map(String::as_str), Some("mod" | "lib" | "main")) {
                    names.pop();
                }
                // The binary and the library of one crate share a root.
                let text = fs::read_to_string(&path).expect("a UTF-8 file");
                modules.entry(names).or_default().push_str(&text);
            }
        }
    }
    modules
}

/// Returns each cycle once, as its modules in alphabetical order.
fn cycles(code: &Crate) -> Vec<String> {
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
    let mut cycles = BTreeSet::new();
    for from in needs.keys().filter(|from| reaches(from, from)) {
        let cycle = needs.keys().filter(|it| reaches(from, it) && reaches(it, from));
        cycles.insert(cycle.map(|it| it.join("::")).collect::<Vec<_>>().join(" ↔ "));
    }
    cycles.into_iter().collect()
}

/// Returns the module that a path in the module `from` leads to. Follows imports and re-exports.
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
        // A child of `from`.
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
        // The children of a module can use its imports too.
        Some(path) if depth < 8 => resolve(code, &at, path, depth + 1).or(Some(at)),
        _ => Some(at),
    }
}

/// The dependencies in a module's source text.
#[derive(Default)]
struct Module {
    /// All paths that start in this crate.
    paths: Vec<Names>,
    /// Imported names and the paths that they refer to.
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

    /// Reads one tree of a `use` item. Returns the index after its end.
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

/// Splits source text into names, `::` and other punctuation, without comments and literals.
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

/// The length of the string or character literal at the start of `rest`, if there is one.
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
    // A quote before a name, with no closing quote after its first letter, starts a lifetime.
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

/// The tokens without test-only modules.
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
                // A module in a separate file.
                ";" if depth == 0 => break,
                _ => {}
            }
            at += 1;
        }
        at += 1;
    }
    kept
}
