//! The configuration of a gateway for one case, for a bug report.

use fallproof_report::bug_report::Configuration;
use fallproof_report::redact::Redactor;
use fallproof_runner::shell::quoted;

use crate::cli::run::Run;
use crate::cli::site::nominal_site;
use crate::cli::{Selected, Stop, adapter};

/// How the gateway was configured for this case. `replay` is the command that runs the case again,
/// `version` the version of the gateway. `None` if the gateway has no adapter.
pub(super) fn of_case(case: &str, replay: &str, version: Option<&str>) -> Option<Configuration> {
    let run = Run::of_replay(replay)?;
    let (adapter, variant) = run.gateway.named_adapter()?;
    let mut words = vec![
        "fallproof config".to_owned(),
        quoted(adapter).into_owned(),
        quoted(case).into_owned(),
    ];
    words.extend(run.selection.folder_again());
    words.extend(variant.map(|variant| format!("--variant {}", quoted(variant))));
    words.extend(run.gateway.mocks_again());
    words.push("--out gateway".to_owned());
    // The adapter or the scenario may be gone since the run.
    let files = files(&run, adapter, variant).unwrap_or_default();
    Some(Configuration { install: install(adapter, version), command: words.join(" "), files })
}

/// The command that installs this version of the gateway, if its adapter knows how to.
fn install(name: &str, version: Option<&str>) -> Option<String> {
    let is_chosen = name.contains('@');
    let name = if is_chosen { name.to_owned() } else { format!("{name}@{}", version?) };
    let (adapter, version) = adapter::find(&name).ok()?;
    let lines = adapter.install_lines(&adapter.versions()[version?]).ok()?;
    (!lines.is_empty()).then(|| format!("fallproof show {} --install | sh -e", quoted(&name)))
}

/// The files that the adapter renders for the scenarios of this run, with API keys redacted. None for
/// an adapter of the user's own, which may hold other secrets.
fn files(run: &Run, name: &str, variant: Option<&str>) -> Result<Vec<(String, String)>, Stop> {
    let (adapter, version) = adapter::find_variant(name, variant)?;
    if !adapter.is_built_in() {
        return Ok(Vec::new());
    }
    let version = version.map(|index| &adapter.versions()[index]);
    let Selected { scenarios, .. } = run.selection.choose()?;
    let plan = adapter.plan(&scenarios, &run.gateway.mocks()?.planned());
    let site = nominal_site(&adapter, None, version)?;
    let redactor = Redactor::new(&plan, &site.key);
    let files = adapter.render(&plan, &site)?.files.into_iter();
    Ok(files.map(|(name, text)| (name, redactor.text(&text))).collect())
}
