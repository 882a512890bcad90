//! Finds features that an adapter claims, but that none of its templates configures.

use std::fmt;

use fallproof_suite::feature::Feature;
use fallproof_suite::scenario::Scenario;

use super::file::Adapter;
use super::template::Expression;

/// A feature that scenarios need and that the adapter claims, although no template uses a variable
/// of it. The gateway then gets no configuration for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unused {
    /// The feature.
    pub feature: Feature,
    /// Number of scenarios that the gateway would run and that need the feature.
    pub scenarios: usize,
}

impl fmt::Display for Unused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { feature, scenarios } = self;
        let variables: Vec<_> = feature.variables().iter().map(|it| format!("`{it}`")).collect();
        let need = if *scenarios == 1 { "scenario needs" } else { "scenarios need" };
        write!(
            formatter,
            "no template uses {}, which {scenarios} {need}: use it, or declare `unsupported: {feature}`",
            variables.join(" or ")
        )
    }
}

impl Adapter {
    /// Finds the features that these scenarios need, and that no template configures.
    pub fn unused(&self, scenarios: &[Scenario]) -> Vec<Unused> {
        let supported = scenarios.iter().filter(|it| self.capabilities.skip_reason(it).is_none());
        let needs: Vec<_> = supported.map(Scenario::needs).collect();
        let code = self.code();
        let is_used = |feature: Feature| {
            feature.variables().iter().any(|variable| code.iter().any(|it| names(it, variable)))
        };
        Feature::all()
            .filter(|feature| !feature.variables().is_empty() && !is_used(*feature))
            .map(|feature| {
                let scenarios = needs.iter().filter(|needs| needs.contains(&feature)).count();
                Unused { feature, scenarios }
            })
            .filter(|unused| unused.scenarios > 0)
            .collect()
    }

    /// The statements and expressions in all templates, and the other expressions of the adapter.
    fn code(&self) -> Vec<&str> {
        let templates: Vec<_> = self.templates().map(|(_, template)| template.text()).collect();
        let tags = templates.into_iter().flat_map(|text| {
            [("{{", "}}"), ("{%", "%}")].into_iter().flat_map(move |(open, close)| {
                text.split(open).skip(1).filter_map(move |rest| rest.split(close).next())
            })
        });
        let conditions = self.cannot.iter().map(|cannot| cannot.when.text());
        tags.chain(self.settings.values().map(Expression::text)).chain(conditions).collect()
    }
}

/// Whether this code uses the attribute with the variable's last name. A template can give any
/// other name to what stands before it.
fn names(code: &str, variable: &str) -> bool {
    let name = variable.rsplit('.').next().unwrap_or(variable);
    code.match_indices(name).any(|(start, _)| {
        let (before, after) = (&code[..start], &code[start + name.len()..]);
        let continues = |next: char| next.is_ascii_alphanumeric() || next == '_';
        before.ends_with(['.', '"', '\'']) && !after.starts_with(continues)
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("group.policy.cooldown | tojson", true)]
    #[case("policy.cooldown.duration_ms", true)]
    #[case("group[\"policy\"]['cooldown']", true)]
    #[case("groups | selectattr(\"policy.cooldown\") | list", true)]
    #[case("settings.cooldowns", false)]
    #[case("settings.cooldown_ms", false)]
    #[case("cooldown", false)]
    #[case("settings.disable_cooldown", false)]
    fn an_attribute_is_found_whatever_it_belongs_to(#[case] code: &str, #[case] found: bool) {
        assert_eq!(names(code, "group.policy.cooldown"), found);
    }
}
