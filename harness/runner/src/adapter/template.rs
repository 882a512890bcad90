//! Templates and expressions of adapters, in Jinja syntax.

use std::ops::Range;
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use fallproof_suite::yaml::{At, Diagnostic, Source};

use super::strict;

// No doc comments here: the JSON Schema would repeat them at every use of the two types.

// A string with placeholders for values of the plan.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(super) struct Template(At<String>);

// An expression over the plan, e.g. `group.policy.retries > 0`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(super) struct Expression(At<String>);

impl Template {
    pub(super) fn render(&self, context: &Value) -> Result<String, Error> {
        ENVIRONMENT.render_str(&self.0.value, context.clone())
    }

    /// Returns the syntax error of the template, if any. `key` is the template's YAML key in the
    /// adapter.
    pub(super) fn check(&self, key: &str, source: &Source) -> Option<Diagnostic> {
        let error = ENVIRONMENT.template_from_str(&self.0.value).err()?;
        Some(self.diagnostic(&format!("`{key}` is not a valid template"), &error, source))
    }

    /// The template as it is written.
    pub(super) fn text(&self) -> &str {
        &self.0.value
    }

    /// Position in the adapter file.
    pub(super) fn span(&self) -> &Range<usize> {
        &self.0.span
    }

    /// The error at its position in the adapter file. `what` is the beginning of the message.
    pub(super) fn diagnostic(&self, what: &str, error: &Error, source: &Source) -> Diagnostic {
        let At { value, span } = &self.0;
        let number = error.line().unwrap_or(1);
        let line = self.line(number, source);
        let at = if line.is_none() && number > 1 {
            format!(" (line {number} of the template)")
        } else {
            String::new()
        };
        let line = line.unwrap_or_else(|| span.clone());
        let wrong = error.range().and_then(|it| value.get(tag_start(value, it.start)..it.end));
        let wrong = wrong.and_then(|wrong| source.find(&line, wrong)).unwrap_or(line);
        source.error(&wrong, format!("{what}{at}: {}", description(error)))
    }

    /// The line of the adapter file that holds this line of the template, counted from 1. `None` if
    /// their texts differ, which they do unless the template is a `|` block.
    fn line(&self, number: usize, source: &Source) -> Option<Range<usize>> {
        let At { value, span } = &self.0;
        let wanted = value.lines().nth(number - 1)?.trim();
        let text = source.as_str();
        let first = text.get(..span.start)?.rfind('\n').map_or(0, |newline| newline + 1);
        let mut lines = text[first..].split_inclusive('\n');
        let start = first + lines.by_ref().take(number - 1).map(str::len).sum::<usize>();
        let line = lines.next()?;
        let start = start + line.len() - line.trim_start().len();
        (line.trim() == wanted).then(|| start..start + wanted.len())
    }
}

impl Expression {
    /// The expression as it is written.
    pub(super) fn text(&self) -> &str {
        &self.0.value
    }

    pub(super) fn eval(&self, context: &Value) -> Result<Value, Error> {
        let value = ENVIRONMENT.compile_expression(&self.0.value)?.eval(context.clone())?;
        strict::check(&ENVIRONMENT.empty_state(), &value).map_err(|_| {
            Error::new(ErrorKind::UndefinedError, format!("`{}` is undefined", self.0.value))
        })?;
        Ok(value)
    }

    /// Returns the syntax error of the expression, if it has one.
    pub(super) fn check(&self, source: &Source) -> Option<Diagnostic> {
        let error = ENVIRONMENT.compile_expression(&self.0.value).err()?;
        Some(source.error(&self.0.span, format!("not a valid expression: {}", description(&error))))
    }

    /// Position in the adapter file.
    pub(super) fn span(&self) -> &Range<usize> {
        &self.0.span
    }
}

/// The start of the expression or statement that holds this byte of a template. The range of an error
/// may be only the name of a filter.
fn tag_start(template: &str, at: usize) -> usize {
    let before = template.get(..at).unwrap_or_default();
    match before.rfind("{{").max(before.rfind("{%")) {
        Some(open) if !before[open..].contains('\n') => {
            let code = &before[open + 2..];
            at - code.trim_start().len()
        }
        _ => at,
    }
}

/// Creates the context of templates and expressions.
pub(super) fn context(named: impl Serialize) -> Value {
    Value::from(Serde(named))
}

/// Describes an error of the template engine. If its message has no details, quotes the expression.
pub(super) fn description(error: &Error) -> String {
    let expression =
        || error.range().and_then(|range| error.template_source()?.get(range)).map(str::trim);
    let what = match (error.detail(), expression()) {
        (Some(detail), _) => detail.to_owned(),
        (None, Some(expression)) => format!("{} in `{expression}`", error.kind()),
        (None, None) => error.kind().to_string(),
    };
    match std::error::Error::source(error) {
        Some(cause) => format!("{what}: {cause}"),
        None => what,
    }
}

/// How much one template may compute. The configurations for the whole suite take less than a tenth
/// of it; a template that would loop for ever fails in a second.
const FUEL: u64 = 2_000_000;

/// The template engine. It does not escape values, and an undefined name is an error.
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // Makes errors name the undefined expression.
    environment.set_debug(true);
    strict::make_strict(&mut environment);
    environment.set_fuel(Some(FUEL));
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()
        .expect("the default delimiters are valid");
    environment.set_syntax(syntax);
    environment
});

impl From<&str> for Template {
    fn from(text: &str) -> Self {
        Self(At { value: text.to_owned(), span: 0..0 })
    }
}
