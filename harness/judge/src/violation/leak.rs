//! Violations: what LEAK finds.

use super::violations;

violations! {
    /// What was told to whom it is not for.
    pub enum LeakViolation(n, to, pointer) {
        AddressInAnswer { of: String } => "the answer shows the client the address of {of}";
        AddressInHeader { header: String, of: String } =>
            "the header `{header}` of the answer shows the client the address of {of}";
        AddressSent { of: String } => "attempt {n} at {to} carries the address of {of}";
        GroupSent { group: String } =>
            "attempt {n} at {to} carries `{group}`, the gateway's own name for the group";
        NameSent { name: String, of: String } =>
            "attempt {n} at {to} carries `{name}`, the name of {of}";
    }
}
