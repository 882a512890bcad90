//! Violations of the HEADER requirements.

use super::{Subject, fault, violations};
use crate::list;

violations! {
    /// A forbidden or missing header of an attempt.
    pub enum HeaderViolation(n, to, pointer) {
        Forwarded { header: String } => "attempt {n} at `{to}` carries the client's `{header}`"
            => "forwards the client's {header}", header = fault::GAP;
        Internal { header: String } =>
            "attempt {n} at `{to}` carries `{header}`, a header for gateways"
            => "sends the gateway's own {header} to a deployment", header = fault::GAP;
        WrongContentType { got: Vec<String> } =>
            "the client sent JSON, but the content type of attempt {n} at `{to}` is {got}",
            got = list(got)
            => "does not send a single content type `application/json` for a JSON call";
        Missing { header: String } => "attempt {n} at `{to}` lacks the client's `{header}`"
            => "does not forward the client's {header}", header = fault::GAP;
        SettingMissing { setting: Subject } =>
            "attempt {n} at `{to}` lacks the {setting} that is configured for it"
            => "does not send the {setting} as configured for the deployment",
                setting = fault::GAP;
        SettingOfAnother { setting: Subject, of: String } =>
            "attempt {n} at `{to}` has the {setting} that is configured for `{of}`"
            => "sends the {setting} that is configured for another deployment",
                setting = fault::GAP;
    }
}
