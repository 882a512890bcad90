//! `FP-HEADER-06`: an attempt has the headers and query parameters configured for its deployment,
//! and none configured for another deployment.

use fallproof_suite::plan::Deployment;
use fallproof_suite::requirement::Code;
use percent_encoding::percent_decode_str;

use crate::collector::Collector;
use crate::observe::Attempt;
use crate::violation::HeaderViolation::{SettingMissing, SettingOfAnother};
use crate::violation::Subject;

/// A header or query parameter that is configured for a deployment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Setting<'a> {
    Header { name: &'a str, value: &'a str },
    Parameter { name: &'a str, value: &'a str },
}

pub(super) fn check(found: &mut Collector<'_>, attempt: &Attempt<'_>) {
    let view = found.view;
    let own: Vec<_> = settings(attempt.deployment).collect();
    for setting in own.iter().filter(|it| !it.is_in(attempt)) {
        let kind = SettingMissing { setting: setting.subject() };
        found.breach(Code::Header06, kind).at(attempt);
    }
    for other in view.all_deployments() {
        let foreign = settings(other).filter(|it| !own.contains(it) && it.is_in(attempt));
        for setting in foreign {
            let kind = SettingOfAnother { setting: setting.subject(), of: other.name.clone() };
            found.breach(Code::Header06, kind).at(attempt);
        }
    }
}

fn settings(deployment: &Deployment) -> impl Iterator<Item = Setting<'_>> {
    let headers = deployment.settings.all_headers();
    let query = deployment.settings.query.iter();
    headers
        .map(|(name, value)| Setting::Header { name, value })
        .chain(query.map(|(name, value)| Setting::Parameter { name, value }))
}

impl Setting<'_> {
    fn subject(self) -> Subject {
        match self {
            Self::Header { name, .. } => Subject::Header(name.to_owned()),
            Self::Parameter { name, .. } => Subject::Parameter(name.to_owned()),
        }
    }

    fn is_in(self, attempt: &Attempt<'_>) -> bool {
        match self {
            Self::Header { name, value } => {
                attempt.recorded.header(name).any(|it| it.trim_ascii() == value.as_bytes())
            }
            Self::Parameter { name, value } => {
                let query = attempt.recorded.target.split_once('?').map_or("", |(_, it)| it);
                query.split('&').any(|pair| {
                    let (own_name, own_value) = pair.split_once('=').unwrap_or((pair, ""));
                    is_text(own_name, name) && is_text(own_value, value)
                })
            }
        }
    }
}

/// Whether this part of a query means this text.
fn is_text(part: &str, text: &str) -> bool {
    percent_decode_str(part).eq(text.bytes())
}
