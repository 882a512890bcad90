//! The requirements that an adapter waives. Only those of the policy level can be waived.

use fallproof_suite::requirement::{Code, Level};
use fallproof_suite::yaml::{At, Diagnostic, LoadError, Source};
use indexmap::IndexMap;
use serde::Deserialize;

/// The waivers in an adapter file, with their positions. All other keys are ignored.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Waivers {
    capabilities: Capabilities,
    variants: IndexMap<String, Waivers>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Capabilities {
    waived: IndexMap<At<Code>, String>,
}

/// Finds waivers of requirements that cannot be waived.
pub(super) fn problems(source: &Source) -> Result<Vec<Diagnostic>, LoadError> {
    let Waivers { capabilities, variants } = source.parse()?;
    let of_variants = variants.values().flat_map(|variant| variant.capabilities.waived.keys());
    let all = capabilities.waived.keys().chain(of_variants);
    Ok(all.filter_map(|code| problem(code, source)).collect())
}

fn problem(code: &At<Code>, source: &Source) -> Option<Diagnostic> {
    let level = match code.value.requirement().level {
        Level::Policy => return None,
        Level::Invariant => "an invariant, which applies to every gateway",
        Level::Observation => "an observation, which never fails a gateway",
    };
    let rule = "only requirements of the policy level can be waived";
    Some(source.error(&code.span, format!("`{}` is {level}; {rule}", code.value.as_str())))
}
