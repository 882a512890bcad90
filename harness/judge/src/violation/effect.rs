//! What kinds of violations of different requirements have in common.

use strum::IntoStaticStr;

use super::{
    ChainDeviation, ClientViolation, ControlViolation, ExpectationViolation, RouteViolation,
    StreamViolation, ViolationKind, fault,
};

/// An effect that violations of several requirements show. If they occur together, they probably
/// have one cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Effect {
    /// The call ends before every attempt that is due has been made.
    NoFallback,
    /// The call makes attempts that it must not make, or more than expected.
    TooManyAttempts,
    /// A deployment is tried before one that is due.
    WrongOrder,
    /// All attempts failed, but the client got a success status.
    FalseSuccess,
    /// A stream broke after its first content, but goes on or ends as if it had not.
    HiddenBreak,
}

impl Effect {
    /// Its name in the ids of causes.
    pub(crate) fn name(self) -> &'static str {
        self.into()
    }
}

impl ViolationKind {
    /// The effect that this kind shares with kinds of other requirements, if there is one.
    pub fn effect(&self) -> Option<Effect> {
        match self {
            Self::Route(kind) => of_route(kind),
            Self::Stream(StreamViolation::NoFallbackOnStreamError { .. }) => {
                Some(Effect::NoFallback)
            }
            Self::Stream(StreamViolation::InventedSuccess { .. })
            | Self::Client(ClientViolation::InventedSuccess) => Some(Effect::FalseSuccess),
            Self::Stream(StreamViolation::AskedAfterContent { .. }) => {
                Some(Effect::TooManyAttempts)
            }
            Self::Stream(
                StreamViolation::Spliced { .. }
                | StreamViolation::SplicedInTranslation { .. }
                | StreamViolation::HidesInterruption,
            ) => Some(Effect::HiddenBreak),
            Self::Control(kind) => of_control(kind),
            Self::Expectation(kind) => of_expectation(kind),
            _ => None,
        }
    }
}

fn of_route(kind: &RouteViolation) -> Option<Effect> {
    use RouteViolation as Route;
    match kind {
        Route::NoFallback { .. }
        | Route::NoContextLengthFallback { .. }
        | Route::NoContentFilterFallback { .. }
        | Route::GaveUpOnStale { .. } => Some(Effect::NoFallback),
        Route::TooOften { .. }
        | Route::SentAgain { .. }
        | Route::RetriedRefusal { .. }
        | Route::RetriedAtOnce { .. }
        | Route::WentBack { .. }
        | Route::AfterSuccess { .. } => Some(Effect::TooManyAttempts),
        Route::PassedOver { .. } => Some(Effect::WrongOrder),
        _ => None,
    }
}

fn of_control(kind: &ControlViolation) -> Option<Effect> {
    use ControlViolation::{CarriesClientKey, SteeredByBody, SteeredByHeader};
    match kind {
        SteeredByBody { how, .. } | SteeredByHeader { how, .. } => match how {
            ChainDeviation::NoAttempt => None,
            ChainDeviation::PassedOver { .. } => Some(Effect::WrongOrder),
            ChainDeviation::NotTried(_) => Some(Effect::NoFallback),
        },
        CarriesClientKey => None,
    }
}

fn of_expectation(kind: &ExpectationViolation) -> Option<Effect> {
    match kind {
        ExpectationViolation::Attempts { expected, seen } if fault::is_start_of(seen, expected) => {
            Some(Effect::NoFallback)
        }
        ExpectationViolation::Attempts { expected, seen } if fault::is_start_of(expected, seen) => {
            Some(Effect::TooManyAttempts)
        }
        ExpectationViolation::ScriptEnded { .. } => Some(Effect::TooManyAttempts),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::violation::{Failed, FalseStart, LeakViolation};

    #[test]
    fn kinds_of_different_requirements_share_an_effect() {
        let name = || "backup".to_owned();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let attempts = |expected: &[&str], seen: &[&str]| {
            ExpectationViolation::Attempts { expected: names(expected), seen: names(seen) }.into()
        };
        let by_body = |how| ControlViolation::SteeredByBody { member: name(), how }.into();
        let by_header = |how| ControlViolation::SteeredByHeader { header: name(), how }.into();
        let passed_over = || ChainDeviation::PassedOver { to: name(), before: name() };
        let no_fallback: &[ViolationKind] = &[
            RouteViolation::NoFallback { failed: Failed::Broken, next: name() }.into(),
            RouteViolation::NoContextLengthFallback { next: name() }.into(),
            RouteViolation::NoContentFilterFallback { next: name() }.into(),
            RouteViolation::GaveUpOnStale { deployment: name() }.into(),
            StreamViolation::NoFallbackOnStreamError { next: name() }.into(),
            by_body(ChainDeviation::NotTried(name())),
            by_header(ChainDeviation::NotTried(name())),
            attempts(&["a", "b"], &["a"]),
        ];
        let too_many: &[ViolationKind] = &[
            RouteViolation::TooOften { deployment: name(), times: 2, retries: 0, most: 1 }.into(),
            RouteViolation::SentAgain { refused_by: name() }.into(),
            RouteViolation::RetriedRefusal { status: 401 }.into(),
            RouteViolation::RetriedAtOnce { after_ms: 0 }.into(),
            RouteViolation::WentBack { after: name() }.into(),
            RouteViolation::AfterSuccess { of: 1 }.into(),
            ExpectationViolation::ScriptEnded { deployment: name(), attempt: 2 }.into(),
            attempts(&["a"], &["a", "b"]),
        ];
        let wrong_order: &[ViolationKind] = &[
            RouteViolation::PassedOver { deployment: name() }.into(),
            by_body(passed_over()),
            by_header(passed_over()),
        ];
        let in_stream = StreamViolation::InventedSuccess { with: FalseStart::Events };
        let false_success: &[ViolationKind] =
            &[ClientViolation::InventedSuccess.into(), in_stream.into()];
        let none: &[ViolationKind] = &[
            attempts(&["a", "b"], &["b", "a"]),
            attempts(&["a", "b"], &["b"]),
            by_body(ChainDeviation::NoAttempt),
            ControlViolation::CarriesClientKey.into(),
            RouteViolation::NotForThis.into(),
            StreamViolation::EndMissing.into(),
            ClientViolation::OwnFailure { status: 500 }.into(),
            ExpectationViolation::Status { expected: 200, got: 500 }.into(),
            LeakViolation::AddressInAnswer { of: name() }.into(),
        ];
        for (kinds, effect) in [
            (no_fallback, Some(Effect::NoFallback)),
            (too_many, Some(Effect::TooManyAttempts)),
            (wrong_order, Some(Effect::WrongOrder)),
            (false_success, Some(Effect::FalseSuccess)),
            (none, None),
        ] {
            for kind in kinds {
                assert_eq!(kind.effect(), effect, "{kind:?}");
            }
        }
    }
}
