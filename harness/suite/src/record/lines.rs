//! Reads the lines of a compressed file, within the limits of the format.

use std::io::{self, BufRead, BufReader, ErrorKind, Read as _};

use flate2::bufread::GzDecoder;

use super::error::Problem;
use super::{LONGEST_LINE, MOST_BYTES, MOST_RECORDS, Record};

/// Reads line by line.
pub(super) struct Lines<R> {
    text: BufReader<GzDecoder<R>>,
    line: Vec<u8>,
    /// The number of the latest line, from 1.
    pub(super) number: u64,
    bytes: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(file: R) -> Self {
        let text = BufReader::new(GzDecoder::new(file));
        Self { text, line: Vec::new(), number: 0, bytes: 0 }
    }

    /// The next line, without its line break.
    pub(super) fn next(&mut self) -> Result<&[u8], Problem> {
        self.line.clear();
        self.number += 1;
        let most = LONGEST_LINE as u64 + 1;
        let length = (&mut self.text).take(most).read_until(b'\n', &mut self.line);
        let length = length.map_err(|error| self.problem(error))?;
        self.bytes += length as u64;
        match self.line.pop() {
            _ if self.bytes > MOST_BYTES || self.number > MOST_RECORDS => Err(Problem::TooMuch),
            Some(b'\n') => Ok(&self.line),
            Some(_) if length > LONGEST_LINE => Err(Problem::LongLine),
            _ => Err(Problem::BreaksOff),
        }
    }

    /// Length of the latest line.
    pub(super) fn length(&self) -> usize {
        self.line.len()
    }

    /// The record on the next line.
    pub(super) fn record(&mut self) -> Result<Record, Problem> {
        serde_json::from_slice(self.next()?).map_err(Problem::NoRecord)
    }

    /// Whether this line is at the end of both the uncompressed text and the file.
    pub(super) fn is_at_end(&mut self) -> Result<bool, Problem> {
        let is_read = match self.text.fill_buf() {
            Ok(text) => text.is_empty(),
            Err(error) => return Err(self.problem(error)),
        };
        let file = self.text.get_mut().get_mut();
        Ok(is_read && file.fill_buf().map_err(Problem::Unreadable)?.is_empty())
    }

    /// Converts a decompression error.
    fn problem(&self, error: io::Error) -> Problem {
        let has_header = self.text.get_ref().header().is_some();
        match error.kind() {
            ErrorKind::UnexpectedEof => Problem::BreaksOff,
            ErrorKind::InvalidInput if !has_header => Problem::SomethingElse,
            _ => Problem::Unreadable(error),
        }
    }
}
