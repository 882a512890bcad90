//! Server-sent events of a streamed response.
//!
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>

mod counter;
mod event;
mod frame;
mod openai;
mod similarity;

pub use self::counter::EventCounter;
pub use self::event::{Event, events};
pub use self::frame::{event_length, events_length};
pub use self::openai::{EventKind, response_id};
pub use self::similarity::Similarity;
