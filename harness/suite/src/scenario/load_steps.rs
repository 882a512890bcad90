//! Converts steps from the file format to the model.

use std::ops::Range;
use std::time::Duration;

use http::HeaderName;

use super::file_steps::{CarriesFile, ExpectFile, PlannedFile, StepFile};
use super::load::{Loader, value, values};
use super::{Carries, Expect, ExpectedError, Planned, Step};
use crate::yaml::At;

/// Maximum number of parallel copies of a call.
const MOST_REPEATS: u32 = 64;

impl Loader<'_> {
    pub(super) fn step(&mut self, read: At<StepFile>) -> Option<Step> {
        let At { value: StepFile { send, expect, repeat, parallel, advance_ms }, span } = read;
        if let (Some(expect), None) = (&expect.0, &send.0) {
            self.problem(&expect.span, "`expect` requires `send`");
        }
        if let (Some(repeat), None) = (&repeat.0, &send.0) {
            self.problem(&repeat.span, "`repeat` requires `send`");
        }
        match (send.0, parallel.0, advance_ms.0) {
            (Some(send), None, None) => {
                let expect = expect.0.map(|at| at.value).unwrap_or_default();
                let planned = self.planned(PlannedFile { send, expect });
                let repeat = self.repeat(repeat.0.as_ref(), &planned);
                Some(Step::Calls(vec![planned; repeat]))
            }
            (None, Some(calls), None) => {
                if calls.value.is_empty() {
                    self.problem(&calls.span, "`parallel` needs at least one call");
                }
                let calls = calls.value.into_iter();
                let calls: Vec<_> = calls.map(|call| self.planned(call)).collect();
                self.distinguishable(&calls, &span);
                Some(Step::Calls(calls))
            }
            (None, None, Some(by)) => {
                if by.value == 0 {
                    self.problem(&by.span, "`advance_ms` must be at least 1");
                }
                Some(Step::Advance(Duration::from_millis(by.value)))
            }
            _ => {
                self.problem(
                    &span,
                    "a step needs exactly one of `send`, `parallel` and `advance_ms`",
                );
                None
            }
        }
    }

    fn repeat(&mut self, repeat: Option<&At<u32>>, planned: &Planned) -> usize {
        let Some(repeat) = repeat else { return 1 };
        if !(1..=MOST_REPEATS).contains(&repeat.value) {
            self.problem(&repeat.span, format!("`repeat` must be from 1 to {MOST_REPEATS}"));
        }
        if !planned.send.body.tells_calls_apart() {
            let error =
                self.source.error(&repeat.span, "the repeated calls cannot be distinguished");
            self.problems.push(error.help("add `{{call}}` to a text of their body"));
        }
        repeat.value.clamp(1, MOST_REPEATS) as usize
    }

    /// Checks that the bodies of parallel calls to one group differ.
    fn distinguishable(&mut self, calls: &[Planned], span: &Range<usize>) {
        let alike = calls.iter().enumerate().any(|(position, call)| {
            let same_group = |other: &Planned| other.send.group == call.send.group;
            calls[..position].iter().any(same_group) && !call.send.body.tells_calls_apart()
        });
        if alike {
            let message = "the parallel calls to one group cannot be distinguished";
            let error = self.source.error(span, message);
            self.problems.push(error.help("add `{{call}}` to a text of their bodies"));
        }
    }

    /// Checks that a call that continues a response comes after a call that can get a response.
    pub(super) fn has_earlier_response(
        &mut self,
        step: Option<&Step>,
        earlier: &[Step],
        span: &Range<usize>,
    ) {
        let Some(Step::Calls(calls)) = step else { return };
        let comes_first = !earlier.iter().any(|step| matches!(step, Step::Calls(_)));
        if comes_first && calls.iter().any(|call| call.send.body.needs_an_answer()) {
            let error = self.source.error(span, "there is no response before this call");
            let help = "`{{response_id}}` is the `id` of the response to an earlier call";
            self.problems.push(error.help(help));
        }
    }

    fn planned(&mut self, PlannedFile { send, expect }: PlannedFile) -> Planned {
        Planned { send: self.call(send), expect: self.expect(expect) }
    }

    fn expect(&mut self, read: ExpectFile) -> Expect {
        for name in read.attempts.0.iter().flatten() {
            self.must_be_reachable(name, "so no attempt can be observed");
        }
        if let Some(name) = &read.answered_by.0 {
            self.must_be_reachable(name, "so it cannot answer");
        }
        if let Some(status) = &read.status.0
            && !(100..=599).contains(&status.value)
        {
            self.problem(&status.span, "a status must be from 100 to 599");
        }
        Expect {
            attempts: read.attempts.0.map(values),
            status: value(read.status),
            answered_by: value(read.answered_by),
            error: read.error.0.map(|error| ExpectedError {
                kind: error.kind.0,
                code: error.code.0,
                param: error.param.0,
                message_contains: error.message_contains.0,
            }),
            headers: read.headers,
            no_attempt_carries: self.carries(read.no_attempt_carries),
        }
    }

    fn carries(&mut self, read: CarriesFile) -> Carries {
        for name in &read.headers {
            if HeaderName::from_bytes(name.value.as_bytes()).is_err() {
                self.problem(&name.span, "not a valid name of a header");
            }
        }
        for text in read.text.iter().filter(|text| text.value.is_empty()) {
            self.problem(&text.span, "every attempt carries an empty text");
        }
        Carries { headers: values(read.headers), text: values(read.text) }
    }
}
