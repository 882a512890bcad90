//! Violations of the HEADER requirements.

use super::violations;
use crate::list;

violations! {
    /// A forbidden or missing header of an attempt.
    pub enum HeaderViolation(n, to, pointer) {
        Forwarded { header: String } => "attempt {n} at `{to}` carries the client's `{header}`";
        Internal { header: String } =>
            "attempt {n} at `{to}` carries `{header}`, a header for gateways";
        WrongContentType { got: Vec<String> } =>
            "the client sent JSON, but the content type of attempt {n} at `{to}` is {got}",
            got = list(got);
        Missing { header: String } => "attempt {n} at `{to}` lacks the client's `{header}`";
        SettingMissing { setting: String } =>
            "attempt {n} at `{to}` lacks the {setting} that is configured for it";
        SettingOfAnother { setting: String, of: String } =>
            "attempt {n} at `{to}` has the {setting} that is configured for `{of}`";
    }
}
