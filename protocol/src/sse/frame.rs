//! Finds the ends of events in the bytes of a stream.

/// Total length of the first `count` events, in bytes.
pub fn events_length(stream: &[u8], count: usize) -> usize {
    let mut end = 0;
    for _ in 0..count {
        let length = event_length(&stream[end..]);
        if length == 0 {
            break;
        }
        end += length;
    }
    end
}

/// Length of the first event, including the empty lines after it. If the event is incomplete, this
/// is the length of the whole stream. A line ends with LF, CRLF or CR
/// (<https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>).
pub fn event_length(stream: &[u8]) -> usize {
    let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let mut end = 0;
    while let Some(line) = stream[end..].iter().position(is_end) {
        let ends = stream[end + line..].iter().take_while(|byte| is_end(byte)).count();
        let line_ends = &stream[end + line..][..ends];
        end += line + ends;
        if !matches!(line_ends, [_] | b"\r\n") {
            return end;
        }
    }
    stream.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_includes_all_of_its_empty_lines() {
        for (stream, length) in [
            (&b"data: 1\n\nx"[..], 9),
            (b"data: 1\r\n\r\nx", 11),
            (b"data: 1\r\rx", 9),
            (b"a: 1\nb: 2\n\n\n\nx", 13),
            (b"data: 1\n", 8),
            (b"", 0),
        ] {
            assert_eq!(event_length(stream), length, "{}", stream.escape_ascii());
        }
    }
}
