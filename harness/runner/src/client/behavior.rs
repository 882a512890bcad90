//! Special behavior of a client.

use std::pin::Pin;

/// A condition that a client waits for.
pub type Awaited<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Special behavior of a client. By default, the client reads the complete response.
#[derive(Default)]
pub struct ClientBehavior<'a> {
    /// Disconnects after this number of stream events.
    pub disconnect_after_events: Option<usize>,
    /// Disconnects when this future completes.
    pub disconnect_when: Option<Awaited<'a>>,
    /// Does not read the response until this future completes.
    pub read_when: Option<Awaited<'a>>,
}
