//! Reads a stream as it arrives, and decides what can be forwarded.

use axum::body::Bytes;

use crate::config::Credential;
use crate::error::ApiError;
use crate::event::{Dialect, EventKind, Understood};
use crate::outcome::Failure;
use crate::provider_error::ProviderError;
use crate::sse::{Block, Splitter};

/// State of a stream that is being read.
pub(crate) struct Reader {
    /// Dialect of the events; `None` for audio, which has no events.
    dialect: Option<Dialect>,
    credential: Credential,
    limit: usize,
    splitter: Splitter,
    next_sequence_number: u64,
    /// Whether the response failed before its first content, and the reason is still to come.
    /// Azure sends a filtered response as `response.failed` with `error: null`, and then an
    /// `error` event with the reason.
    awaits_reason: bool,
    /// Bytes to forward. They must not be sent before `has_content` is set.
    pub(crate) ready: Vec<u8>,
    pub(crate) has_content: bool,
    pub(crate) ending: Option<Ending>,
    pub(crate) response_id: Option<String>,
}

/// How the provider ended the stream.
pub(crate) enum Ending {
    Complete,
    Error(ProviderError),
}

impl Reader {
    /// Creates a reader that redacts this credential in events. `limit` is in bytes and applies to
    /// each event, and to everything before the first content together.
    pub(crate) fn new(dialect: Option<Dialect>, credential: Credential, limit: usize) -> Self {
        Self {
            dialect,
            credential,
            limit,
            splitter: Splitter::default(),
            next_sequence_number: 0,
            awaits_reason: false,
            ready: Vec::new(),
            has_content: false,
            ending: None,
            response_id: None,
        }
    }

    /// Processes received bytes. Must not be called after a failure.
    pub(crate) fn take(&mut self, chunk: &[u8]) -> Result<(), Failure> {
        let Some(dialect) = self.dialect else {
            self.has_content |= !chunk.is_empty();
            self.ready.extend_from_slice(chunk);
            return Ok(());
        };
        self.splitter.push(chunk);
        self.take_blocks(dialect)
    }

    /// Marks the end of the connection, after the provider has closed it properly. Returns a
    /// failure if the stream is not complete.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        let is_complete = match self.dialect {
            None => self.has_content,
            Some(dialect) => {
                self.splitter.close();
                self.take_blocks(dialect)?;
                if self.awaits_reason {
                    return Err(Failure::ErrorInSuccess(ProviderError::default()));
                }
                self.ending.is_some()
            }
        };
        if is_complete { Ok(()) } else { Err(Failure::InvalidResponse) }
    }

    /// Appends an error event for this failure, if the stream consists of events.
    pub(crate) fn append_error(&mut self, failure: &Failure) {
        let error = match failure {
            Failure::Timeout => ApiError::timeout(),
            _ => ApiError::invalid_response(),
        };
        if let Some(dialect) = self.dialect {
            self.ready.extend(error.into_event(dialect, self.next_sequence_number));
        }
    }

    fn take_blocks(&mut self, dialect: Dialect) -> Result<(), Failure> {
        while let Some(block) = self.splitter.next() {
            // Everything after the end is forwarded without being parsed.
            if self.ending.is_none() {
                self.understand(&block, dialect)?;
            }
            self.ready.extend_from_slice(&self.credential.redact(block.raw.into()));
        }
        let held = if self.has_content { 0 } else { self.ready.len() };
        if self.splitter.pending() + held > self.limit {
            return Err(Failure::InvalidResponse);
        }
        Ok(())
    }

    fn understand(&mut self, block: &Block, dialect: Dialect) -> Result<(), Failure> {
        let Some(event) = &block.event else { return Ok(()) };
        let Understood { kind, response_id, sequence_number } =
            dialect.understand(event).ok_or(Failure::InvalidResponse)?;
        self.response_id = self.response_id.take().or(response_id);
        if let Some(number) = sequence_number {
            self.next_sequence_number = number.saturating_add(1);
        }
        match kind {
            EventKind::Error(error) if self.awaits_reason => {
                return Err(Failure::ErrorInSuccess(self.without_key(error)));
            }
            _ if self.awaits_reason => {
                return Err(Failure::ErrorInSuccess(ProviderError::default()));
            }
            EventKind::Preamble => {}
            EventKind::Content => self.has_content = true,
            // The stream ended without any content.
            EventKind::End if !self.has_content && dialect == Dialect::Choices => {
                return Err(Failure::InvalidResponse);
            }
            EventKind::End => {
                self.has_content = true;
                self.ending = Some(Ending::Complete);
            }
            EventKind::Error(error) if self.has_content => self.ending = Some(Ending::Error(error)),
            EventKind::Error(error) if error == ProviderError::default() => {
                self.awaits_reason = true;
            }
            EventKind::Error(error) => {
                return Err(Failure::ErrorInSuccess(self.without_key(error)));
            }
        }
        Ok(())
    }

    fn without_key(&self, error: ProviderError) -> ProviderError {
        let clean = |text: String| {
            String::from_utf8_lossy(&self.credential.redact(Bytes::from(text))).into_owned()
        };
        ProviderError { code: clean(error.code), message: clean(error.message) }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const CHAT: &str = "data: {\"choices\":[],\"prompt_filter_results\":[]}\n\n: wait\n\n\
        data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\r\n\r\n\
        data: {\"choices\":[{\"delta\":{\"content\":\"ü🦀\"}}]}\r\n\r\n\
        data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
        data: {\"choices\":[],\"usage\":{}}\n\ndata: [DONE]\n\n: bye\n\n";

    const RESPONSES: &str = "event: response.created\n\
        data: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\"},\"sequence_number\":0}\n\n\
        event: response.output_text.delta\n\
        data: {\"type\":\"response.output_text.delta\",\"delta\":\"a\",\"sequence_number\":7}\n\n\
        event: response.completed\ndata: {\"type\":\"response.completed\"}\n\n";

    fn reader(dialect: Dialect, limit: usize) -> Reader {
        let credential = "sk-secret".to_owned().try_into().expect("a key");
        Reader::new(Some(dialect), credential, limit)
    }

    #[rstest]
    #[case::chat(Dialect::Choices, CHAT, CHAT.find("data: {\"choices\":[{\"delta\":{\"content"))]
    #[case::responses(Dialect::Typed, RESPONSES, RESPONSES.find("event: response.output_text"))]
    fn a_stream_is_forwarded_unchanged_wherever_it_is_split(
        #[case] dialect: Dialect,
        #[case] stream: &str,
        #[case] content: Option<usize>,
    ) {
        let content = content.expect("there is content");
        for size in 1..=stream.len() {
            let mut reader = reader(dialect, stream.len());
            for (index, piece) in stream.as_bytes().chunks(size).enumerate() {
                reader.take(piece).expect("a valid stream");
                let taken = index * size + piece.len();
                assert!(taken > content || !reader.has_content, "{taken} bytes hold no content");
            }
            reader.finish().expect("a complete stream");
            assert_eq!(String::from_utf8_lossy(&reader.ready), stream, "in pieces of {size}");
        }
    }

    #[rstest]
    #[case::chat(Dialect::Choices, CHAT, "[DONE]\n\n")]
    #[case::responses(Dialect::Typed, RESPONSES, "completed\"}\n\n")]
    fn a_cut_stream_is_complete_only_after_its_end(
        #[case] dialect: Dialect,
        #[case] stream: &str,
        #[case] last: &str,
    ) {
        let complete = stream.find(last).expect("an end") + last.len();
        for cut in 0..=stream.len() {
            let mut reader = reader(dialect, stream.len());
            reader.take(&stream.as_bytes()[..cut]).expect("a valid stream");
            assert_eq!(reader.finish().is_ok(), cut >= complete, "cut after {cut} bytes");
        }
    }

    #[test]
    fn an_error_event_follows_a_complete_event() {
        let mut reader = reader(Dialect::Typed, 1_000);
        let cut = RESPONSES.len() - 10;
        reader.take(&RESPONSES.as_bytes()[..cut]).expect("a valid stream");
        reader.append_error(&Failure::Timeout);
        let (passed, _) = RESPONSES.split_once("event: response.completed").expect("an end");
        let ready = String::from_utf8(reader.ready).expect("UTF-8");
        let event = ready.strip_prefix(passed).expect("the complete events");
        assert!(
            event.starts_with("event: error\ndata: {\"type\":\"error\",\"sequence_number\":8,"),
            "{event}"
        );
        assert_eq!(reader.response_id.as_deref(), Some("resp_1"));
    }

    #[rstest]
    #[case::before_content("data: {\"choices\":[]}\n\n", 22, true)]
    #[case::too_much_before_content("data: {\"choices\":[]}\n\n:\n\n", 22, false)]
    #[case::too_long_an_event("data: {\"choices\":[], ", 20, false)]
    #[case::after_content(
        "data: {\"choices\":[{\"text\":\"a\"}]}\n\ndata: {\"choices\":[]}\n\n",
        10,
        true
    )]
    fn buffering_has_a_limit(#[case] stream: &str, #[case] limit: usize, #[case] ok: bool) {
        assert_eq!(reader(Dialect::Choices, limit).take(stream.as_bytes()).is_ok(), ok);
    }

    const FAILED: &str = "data: {\"type\":\"response.failed\",\"response\":{\"error\":null}}\n\n";

    #[rstest]
    #[case::told("data: {\"type\":\"error\",\"code\":\"content_filter\"}\n\n", "content_filter")]
    #[case::failed_twice(FAILED, "")]
    #[case::another_event("data: {\"type\":\"response.output_text.delta\"}\n\n", "")]
    #[case::never("", "")]
    fn the_reason_of_a_failure_may_follow_in_an_event_of_its_own(
        #[case] then: &str,
        #[case] code: &str,
    ) {
        let mut reader = reader(Dialect::Typed, 1_000);
        reader.take(FAILED.as_bytes()).expect("the reason may follow");
        let failure = reader.take(then.as_bytes()).and_then(|()| reader.finish());
        let Err(Failure::ErrorInSuccess(error)) = failure else { panic!("{failure:?}") };
        assert_eq!(error.code, code);
    }

    #[test]
    fn a_key_in_an_event_is_always_redacted() {
        let mut reader = reader(Dialect::Choices, 1_000);
        reader.take(b"data: {\"choices\":[{\"text\":\"sk-secret\"}]}\n\n").expect("content");
        assert!(String::from_utf8_lossy(&reader.ready).contains("[redacted]"));
        let mut reader = self::reader(Dialect::Choices, 1_000);
        let failure = reader.take(b"data: {\"error\":{\"message\":\"bad sk-secret\"}}\n\n");
        let Err(Failure::ErrorInSuccess(error)) = failure else { panic!("{failure:?}") };
        assert_eq!(error.message, "bad [redacted]");
    }
}
