//! Violations of the LEAK requirements.

use super::{fault, violations};

violations! {
    /// An internal address or name that was disclosed to a client or to another provider.
    pub enum LeakViolation(n, to, pointer) {
        AddressInAnswer { of: String } => "the response leaks the address of `{of}`"
            => "shows a deployment's address in the body of the response";
        AddressInHeader { header: String, of: String } =>
            "the response header `{header}` leaks the address of `{of}`"
            => "shows a deployment's address in the response {header}", header = fault::GAP;
        AddressSent { of: String } => "attempt {n} at `{to}` carries the address of `{of}`"
            => "sends a deployment's address to another deployment";
        GroupSent { group: String } =>
            "attempt {n} at `{to}` carries `{group}`, the gateway's name for the model group"
            => "sends the name of the model group to a deployment";
        NameSent { name: String, of: String } =>
            "attempt {n} at `{to}` carries `{name}`, the name of `{of}`"
            => "sends a deployment's name to another deployment";
        InternalsInAnswer { what: String, text: String } => "the response shows {what}: {text}"
            => "shows {what} in the body of the response";
        InternalsInHeader { header: String, what: String, text: String } =>
            "the response header `{header}` shows {what}: {text}"
            => "shows {what} in the response {header}", header = fault::GAP;
        OtherGroupNamed { group: String } =>
            "the response names `{group}`, a group that the client did not ask for"
            => "names other groups in the response";
        OtherGroupsNamed { group: String, count: usize } =>
            "the response names {count} groups that the client did not ask for, such as `{group}`"
            => "names other groups in the response";
        DeploymentOfOtherGroup { name: String, group: String } =>
            "the response names `{name}`, a deployment of `{group}`, which the client did not ask for"
            => "names a deployment of another group in the response";
    }
}
