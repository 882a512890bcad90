//! Server-sent events.

use fallproof_protocol::sse::{Event, events};
use proptest::prelude::*;

use crate::checks::sse::{check, written};
use crate::mutation::{each, inputs};

const PIECES: &[&str] = &[
    "data",
    "data:",
    "data: ",
    "event: ping",
    ": a comment",
    "\n",
    "\r",
    "\r\n",
    "\n\n",
    "[DONE]",
    "{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}",
    "{\"type\":\"response.created\",\"response\":{\"id\":\"r\"}}",
    "{\"error\":{\"code\":\"429\"}}",
    "\u{feff}",
    "é",
];

fn streams() -> impl Strategy<Value = Vec<u8>> {
    let valid: [&[u8]; 3] = [
        b"data: {\"id\":\"a\",\"model\":\"m\",\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n\
          data: {\"id\":\"a\",\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n\
          data: {\"choices\":[],\"usage\":{\"total_tokens\":1}}\n\ndata: [DONE]\n\n",
        b"event: response.created\r\ndata: {\"type\":\"response.created\",\"sequence_number\":0}\r\n\r\n\
          event: response.completed\r\ndata: {\"type\":\"response.completed\"}\r\n\r\n",
        b": hi\n\nevent: n\ndata: a\ndata:b\nid: 1\n\ndata: c\n\n:\n\ndata: cut off\n",
    ];
    inputs(valid.map(<[u8]>::to_vec).to_vec(), PIECES)
}

#[test]
fn what_holds_for_streams_holds_for_any_bytes() {
    each(250, &streams(), |bytes| check(&bytes));
}

#[test]
fn events_that_were_written_are_read_back() {
    let event = ("[^\r\n]{0,8}", "[^\r]{0,20}").prop_map(|(name, data)| Event::new(name, data));
    each(250, &prop::collection::vec(event, 0..6), |all| {
        assert_eq!(events(written(&all).as_bytes()), all);
    });
}
