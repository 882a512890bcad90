//! Server-sent events: what a streamed answer says.
//!
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>

mod event;
mod openai;
mod similarity;

pub use self::event::{Event, event_length, events, events_length};
pub use self::openai::{Meaning, response_id};
pub use self::similarity::Likeness;
