//! What each kind of violation is about.

use super::{
    Alteration, ClientViolation, ControlViolation, ExpectationViolation, HeaderViolation,
    LeakViolation, StreamViolation, Subject, ViolationKind, without_indexes,
};

impl ViolationKind {
    /// What a violation of this kind is about. `pointer` is its JSON pointer with `*` for each array
    /// index.
    pub fn subject(&self, pointer: Option<&str>) -> Option<Subject> {
        let of_kind = match self {
            Self::Header(kind) => of_header(kind),
            Self::Client(ClientViolation::StaleHeader { header })
            | Self::Leak(
                LeakViolation::AddressInHeader { header, .. }
                | LeakViolation::InternalsInHeader { header, .. },
            )
            | Self::Control(ControlViolation::SteeredByHeader { header, .. })
            | Self::Expectation(
                ExpectationViolation::Header { name: header, .. }
                | ExpectationViolation::CarriesHeader { name: header },
            ) => Some(Subject::Header(header.to_ascii_lowercase())),
            Self::Control(ControlViolation::SteeredByBody { member, .. }) => {
                Some(Subject::Part(member.clone()))
            }
            Self::Stream(
                StreamViolation::Altered {
                    how: Alteration::Changed(part) | Alteration::LostOrChangedAt(part),
                    ..
                }
                | StreamViolation::MetadataChanged { part, .. },
            ) => Some(Subject::Part(without_indexes(part))).filter(|_| !part.is_empty()),
            _ => None,
        };
        of_kind.or_else(|| Some(Subject::Part(pointer?.to_owned())))
    }
}

fn of_header(kind: &HeaderViolation) -> Option<Subject> {
    match kind {
        HeaderViolation::Forwarded { header }
        | HeaderViolation::Internal { header }
        | HeaderViolation::Missing { header } => Some(Subject::Header(header.to_ascii_lowercase())),
        HeaderViolation::SettingMissing { setting }
        | HeaderViolation::SettingOfAnother { setting, .. } => Some(setting.clone()),
        HeaderViolation::WrongContentType { .. } => None,
    }
}
