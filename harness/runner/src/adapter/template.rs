//! The templates and expressions of adapters, in the language of Jinja.

use std::ops::Range;
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, Error, UndefinedBehavior};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use fallproof_suite::yaml::{At, Diagnostic, Source};

// No documentation comments here: the JSON Schema would repeat them wherever one of the two stands.

// A text with places to be filled from the plan.
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

    /// What is wrong with it whatever it is filled with, for one at `place` of the adapter.
    pub(super) fn complaint(&self, place: &str, source: &Source) -> Option<Diagnostic> {
        let error = ENVIRONMENT.template_from_str(&self.0.value).err()?;
        let line = error.line().unwrap_or(1);
        let message = format!("line {line} of `{place}` is no template: {}", words(&error));
        Some(source.error(&self.0.span, message))
    }

    /// Where it stands in its file.
    pub(super) fn span(&self) -> &Range<usize> {
        &self.0.span
    }
}

impl Expression {
    pub(super) fn eval(&self, context: &Value) -> Result<Value, Error> {
        ENVIRONMENT.compile_expression(&self.0.value)?.eval(context.clone())
    }

    /// What is wrong with it whatever it is applied to.
    pub(super) fn complaint(&self, source: &Source) -> Option<Diagnostic> {
        let error = ENVIRONMENT.compile_expression(&self.0.value).err()?;
        Some(source.error(&self.0.span, format!("this is no expression: {}", words(&error))))
    }

    /// Where it stands in its file.
    pub(super) fn span(&self) -> &Range<usize> {
        &self.0.span
    }
}

/// What templates and expressions can name.
pub(super) fn context(named: impl Serialize) -> Value {
    Value::from(Serde(named))
}

/// What went wrong, in the words of the template engine.
pub(super) fn words(error: &Error) -> String {
    let what = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    match std::error::Error::source(error) {
        Some(cause) => format!("{what}: {cause}"),
        None => what,
    }
}

/// Nothing is escaped, and a name that means nothing is an error.
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()
        .expect("the delimiters are Jinja's own");
    environment.set_syntax(syntax);
    environment
});

impl From<&str> for Template {
    fn from(text: &str) -> Self {
        Self(At { value: text.to_owned(), span: 0..0 })
    }
}
