//! Special behavior of a client.

use std::pin::Pin;

/// A condition that a client waits for.
pub type Awaited<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// A callback that reports progress.
pub type Notice<'a> = Box<dyn Fn() + Send + Sync + 'a>;

/// Special behavior of a client. By default, it reads the complete response.
#[derive(Default)]
pub struct ClientBehavior<'a> {
    /// Disconnects after this number of stream events.
    pub disconnect_after_events: Option<usize>,
    /// Disconnects when this future completes.
    pub disconnect_when: Option<Awaited<'a>>,
    /// Called each time more events of a stream have arrived.
    pub on_events: Option<Notice<'a>>,
    /// Reads nothing until this completes.
    pub read_when: Option<Awaited<'a>>,
}
