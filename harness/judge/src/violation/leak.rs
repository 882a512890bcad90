//! Violations of the LEAK requirements.

use super::violations;

violations! {
    /// An internal address or name that was disclosed to a client or to another provider.
    pub enum LeakViolation(n, to, pointer) {
        AddressInAnswer { of: String } => "the response leaks the address of `{of}`";
        AddressInHeader { header: String, of: String } =>
            "the response header `{header}` leaks the address of `{of}`";
        AddressSent { of: String } => "attempt {n} at `{to}` carries the address of `{of}`";
        GroupSent { group: String } =>
            "attempt {n} at `{to}` carries `{group}`, the gateway's name for the model group";
        NameSent { name: String, of: String } =>
            "attempt {n} at `{to}` carries `{name}`, the name of `{of}`";
        InternalsInAnswer { what: String, text: String } => "the response shows {what}: {text}";
        InternalsInHeader { header: String, what: String, text: String } =>
            "the response header `{header}` shows {what}: {text}";
        OtherGroupNamed { group: String } =>
            "the response names `{group}`, a group that the client did not ask for";
        OtherGroupsNamed { group: String, count: usize } =>
            "the response names {count} groups that the client did not ask for, such as `{group}`";
        DeploymentOfOtherGroup { name: String, group: String } =>
            "the response names `{name}`, a deployment of `{group}`, which the client did not ask for";
    }
}
