//! Variants of an adapter: the same gateway with other settings. Each variant needs a separate run.

use fallproof_suite::capabilities::Capabilities;
use fallproof_suite::yaml::{Diagnostic, Source, nearest};
use indexmap::IndexMap;

use super::file::{Adapter, Replaced, Variant};
use super::template::Expression;

/// The adapter has no variant with this name.
#[derive(Debug, thiserror::Error)]
#[error("{adapter} has no variant `{name}`; {hint}", hint = hint(.name, .known))]
pub struct UnknownVariant {
    adapter: String,
    name: String,
    known: Vec<String>,
}

fn hint(unknown: &str, known: &[String]) -> String {
    match nearest(unknown, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "it has none".to_owned(),
        None => format!("it has {}", known.join(", ")),
    }
}

impl Adapter {
    /// Returns the adapter with the settings and capabilities of the variant with this name.
    ///
    /// # Errors
    /// There is no such variant.
    pub fn variant(&self, name: &str) -> Result<Self, UnknownVariant> {
        // The source is valid, because this adapter was parsed from it.
        let source = self.source.clone();
        let mut adapter = source.and_then(|source| Self::parse(&self.id, source).ok());
        let variant = adapter.as_mut().and_then(|it| it.variants.shift_remove(name));
        let (Some(mut adapter), Some(variant)) = (adapter, variant) else {
            return Err(UnknownVariant {
                adapter: self.name.clone(),
                name: name.to_owned(),
                known: self.variants.keys().cloned().collect(),
            });
        };
        let settings = variant.settings.into_iter();
        adapter.settings.extend(settings.map(|(name, value)| (name.value, value)));
        adapter.cannot.extend(variant.cannot);
        variant.capabilities.replace(&mut adapter.capabilities);
        adapter.folder.clone_from(&self.folder);
        adapter.chosen = Some(name.to_owned());
        Ok(adapter)
    }
}

impl Variant {
    /// Finds errors that do not depend on a plan. `known` contains the settings of the adapter.
    pub(super) fn problems<'a>(
        &'a self,
        known: &'a IndexMap<String, Expression>,
        source: &'a Source,
    ) -> impl Iterator<Item = Diagnostic> + 'a {
        let unknown = self.settings.keys().filter(|name| !known.contains_key(&name.value));
        let unknown = unknown.map(|name| {
            let message = format!("the adapter has no setting `{}` to replace", name.value);
            source.error(&name.span, message).help("add it to `settings`, with its usual value")
        });
        let conditions = self.cannot.iter().map(|cannot| &cannot.when);
        let expressions = self.settings.values().chain(conditions);
        unknown.chain(expressions.filter_map(|expression| expression.check(source)))
    }
}

impl Replaced {
    fn replace(self, capabilities: &mut Capabilities) {
        let Self { unsupported, fallback_on, waived, own_cooldown, rewrites, translates } = self;
        if let Some(unsupported) = unsupported {
            capabilities.unsupported = unsupported;
        }
        if let Some(waived) = waived {
            capabilities.waived = waived;
        }
        if let Some(rewrites) = rewrites {
            capabilities.rewrites = rewrites;
        }
        if let Some(translates) = translates {
            capabilities.translates = translates;
        }
        if fallback_on.is_some() {
            capabilities.fallback_on = fallback_on;
        }
        if own_cooldown.is_some() {
            capabilities.own_cooldown = own_cooldown;
        }
    }
}
