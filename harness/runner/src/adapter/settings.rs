//! What is the same for everything in one process of a gateway.

use fallproof_suite::plan::Group;
use minijinja::{Error, ErrorKind};
use serde_json::{Map, Value};

use super::context;
use super::file::Adapter;
use super::fill::RenderError;
use super::template::Expression;

/// The values of what is global to a gateway that serves this group.
pub(super) fn of(adapter: &Adapter, group: &Group) -> Result<Map<String, Value>, RenderError> {
    let context = context::of_planned(group);
    let value = |expression: &Expression| -> Result<Value, Error> {
        let value = expression.eval(&context)?;
        serde_json::to_value(value)
            .map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
    };
    adapter
        .settings
        .iter()
        .map(|(name, expression)| {
            let value = value(expression)
                .map_err(|error| adapter.render_error(expression.span(), "settings", &error))?;
            Ok((name.clone(), value))
        })
        .collect()
}
