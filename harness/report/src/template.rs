//! Templates of the HTML pages and Markdown files, and their filters.

use std::io;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use sha2::{Digest as _, Sha256};

use crate::phrases;

/// The only script that a page may run.
const SCRIPT: &str = include_str!("templates/page.js");

/// Templates whose values are escaped for HTML automatically.
static PAGES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut pages = environment();
    pages.set_auto_escape_callback(|_| AutoEscape::Html);
    pages.add_filter("link", link);
    pages.add_global("style", include_str!("templates/style.css"));
    pages.add_global("script", SCRIPT);
    pages.add_global("script_hash", script_hash());
    for (name, text) in [
        ("page.html", include_str!("templates/page.html")),
        ("parts.html", include_str!("templates/parts.html")),
        ("report.html", include_str!("templates/report.html")),
        ("causes.html", include_str!("templates/causes.html")),
        ("requirements.html", include_str!("templates/requirements.html")),
        ("cases.html", include_str!("templates/cases.html")),
        ("compare.html", include_str!("templates/compare.html")),
        ("badge.svg", include_str!("templates/badge.svg")),
    ] {
        pages.add_template(name, text).expect("the templates are tested");
    }
    pages
});

/// Templates that escape values with the filters `md`, `html`, `cell` and `fenced`.
static MARKDOWN: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut markdown = environment();
    markdown.set_auto_escape_callback(|_| AutoEscape::None);
    let syntax = SyntaxConfig::builder().trim_blocks(true).keep_trailing_newline(true).build();
    markdown.set_syntax(syntax.expect("the default delimiters are valid"));
    markdown.add_filter("md", phrases::markdown);
    markdown.add_filter("html", html);
    markdown.add_filter("cell", |text: &str| text.replace('|', "\\|").replace('\n', " "));
    markdown.add_filter("fenced", fenced);
    for (name, text) in [
        ("compare.md", include_str!("templates/compare.md")),
        ("summary.md", include_str!("templates/summary.md")),
        ("steps.md", include_str!("templates/steps.md")),
        ("case.md", include_str!("templates/case.md")),
        ("bug.md", include_str!("templates/bug.md")),
    ] {
        markdown.add_template(name, text).expect("the templates are tested");
    }
    markdown
});

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.add_filter("prose", prose);
    environment.add_filter("counted", phrases::counted);
    environment.add_filter("sentence", phrases::sentence);
    environment
}

pub(crate) fn page(name: &str, view: Value) -> io::Result<String> {
    draw(&PAGES, name, view)
}

pub(crate) fn markdown(name: &str, view: Value) -> io::Result<String> {
    draw(&MARKDOWN, name, view)
}

fn draw(templates: &Environment<'_>, name: &str, view: Value) -> io::Result<String> {
    let drawn = templates.get_template(name).and_then(|template| template.render(view));
    drawn.map(|text| phrases::printable(&text)).map_err(io::Error::other)
}

/// The source expression of the script in a content security policy. With it, a browser runs no other
/// script, even if the text of a target got into the page unescaped.
fn script_hash() -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(SCRIPT)))
}

/// A web address as a link. Any other text stays text: it could be a script.
fn link(address: &str) -> Value {
    let escaped = html_escape(address);
    let rest = ["https://", "http://"].iter().find_map(|scheme| escaped.strip_prefix(scheme));
    Value::from_safe_string(match rest {
        Some(rest) => format!(r#"<a href="{escaped}" rel="noreferrer">{rest}</a>"#),
        None => escaped,
    })
}

fn html_escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Escapes the text for HTML and turns text between backticks into code.
fn prose(text: &str) -> Value {
    let escaped = html_escape(text);
    let mut parts = escaped.split('`');
    let mut prose = parts.next().unwrap_or_default().to_owned();
    while let Some(part) = parts.next() {
        match parts.next() {
            Some(after) => prose.extend(["<code>", part, "</code>", after]),
            // An unpaired backtick stays as it is.
            None => prose.extend(["`", part]),
        }
    }
    Value::from_safe_string(prose)
}

/// Escapes the text for use between HTML tags in Markdown, on one line.
fn html(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace(['\n', '\r'], " ");
    phrases::no_mention(&text)
}

/// A fenced code block. The fence is longer than any run of backticks in the content.
fn fenced(content: &str, language: &str) -> String {
    let longest = content.split(|it| it != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{content}\n{fence}\n")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("a < b", "a &lt; b")]
    #[case("a `b` and `c>`", "a <code>b</code> and <code>c&gt;</code>")]
    #[case("a `b` and `c", "a <code>b</code> and `c")]
    #[case("`", "`")]
    fn text_between_backticks_is_code(#[case] text: &str, #[case] html: &str) {
        assert_eq!(prose(text).to_string(), html);
    }

    #[rstest]
    #[case(
        "https://a.b/c?d&e",
        r#"<a href="https://a.b/c?d&amp;e" rel="noreferrer">a.b/c?d&amp;e</a>"#
    )]
    #[case(
        r#"http://a" onclick="b"#,
        r#"<a href="http://a&quot; onclick=&quot;b" rel="noreferrer">a&quot; onclick=&quot;b</a>"#
    )]
    #[case("javascript:alert(1)", "javascript:alert(1)")]
    #[case("<b>", "&lt;b&gt;")]
    fn only_a_web_address_is_a_link(#[case] address: &str, #[case] html: &str) {
        assert_eq!(link(address).to_string(), html);
    }

    #[test]
    fn the_fence_is_longer_than_the_backticks_of_the_content() {
        assert_eq!(fenced("a", "sh"), "```sh\na\n```\n");
        assert_eq!(fenced("````", "diff"), "`````diff\n````\n`````\n");
    }
}
