//! How a client behaves that does not just wait for its answer.

use std::pin::Pin;

/// Something that a client waits for.
pub type Awaited<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// How a client behaves that does not just wait for its answer.
#[derive(Default)]
pub struct ClientBehavior<'a> {
    /// It leaves once so many events of a stream have reached it.
    pub disconnect_after_events: Option<usize>,
    /// It leaves when this is done.
    pub disconnect_when: Option<Awaited<'a>>,
    /// It reads nothing until this is done.
    pub read_when: Option<Awaited<'a>>,
}
