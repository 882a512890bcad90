//! Templates and expressions of adapters, in Jinja syntax.

use std::ops::Range;
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, Error, UndefinedBehavior};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use fallproof_suite::yaml::{At, Diagnostic, Source};

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
        let line = error.line().unwrap_or(1);
        let message =
            format!("line {line} of `{key}` is not a valid template: {}", description(&error));
        Some(source.error(&self.0.span, message))
    }

    /// Position in the adapter file.
    pub(super) fn span(&self) -> &Range<usize> {
        &self.0.span
    }
}

impl Expression {
    pub(super) fn eval(&self, context: &Value) -> Result<Value, Error> {
        ENVIRONMENT.compile_expression(&self.0.value)?.eval(context.clone())
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

/// Creates the context of templates and expressions.
pub(super) fn context(named: impl Serialize) -> Value {
    Value::from(Serde(named))
}

/// Describes an error of the template engine.
pub(super) fn description(error: &Error) -> String {
    let what = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    match std::error::Error::source(error) {
        Some(cause) => format!("{what}: {cause}"),
        None => what,
    }
}

/// The template engine. It does not escape values, and an undefined name is an error.
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
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
