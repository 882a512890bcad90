//! What findings have in common: the requirement, and what of the request or the answer it is about.

use std::fmt;

use crate::check::{Finding, Verdict};
use crate::requirement::Code;

/// Findings of one cause are told once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cause {
    /// Orders them as the requirements are; expectations come last.
    is_expectation: bool,
    /// The requirement's code; `None` for what the model expects.
    pub requirement: Option<Code>,
    /// A parameter of the body, or the finding's sentence without what differs from case to case.
    pub about: String,
}

impl Cause {
    /// The cause of this finding.
    pub fn of(finding: &Finding) -> Self {
        let parameter = finding.pointer.as_deref().and_then(|it| it.split('/').nth(1));
        Self {
            is_expectation: finding.requirement.is_none(),
            requirement: finding.requirement,
            about: match parameter {
                Some(parameter) => format!("/{parameter}"),
                None => in_general(&finding.message),
            },
        }
    }

    /// Whether one of these findings of a saved scenario is of this cause, and more than a note. An
    /// expectation may be missed there in other words: its file holds less than the model says.
    pub fn is_among(&self, findings: &[Finding]) -> bool {
        let mut wrong = findings.iter().filter(|finding| finding.verdict > Verdict::Note);
        match self.requirement {
            Some(_) => wrong.any(|finding| Self::of(finding) == *self),
            None => wrong.any(|finding| finding.requirement.is_none()),
        }
    }

    /// The code in a file's name.
    pub fn code(&self) -> String {
        self.requirement
            .map_or_else(|| "unexpected".to_owned(), |code| code.as_str().to_ascii_lowercase())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.requirement.map_or("expectation", Code::as_str), self.about)
    }
}

/// A sentence without numbers, quoted words, and the names of deployments.
fn in_general(sentence: &str) -> String {
    let is_name = |word: &str| ["primary", "backup", "third", "fourth"].contains(&word);
    let mut words: Vec<_> = Vec::new();
    // What comes after a colon is quoted from the case.
    for word in sentence.split(": ").next().unwrap_or_default().split_whitespace() {
        let bare = word.trim_matches(|character: char| !character.is_alphanumeric());
        let differs = is_name(bare)
            || word.contains(['"', '`', '/', '\''])
            || word.contains(|character: char| character.is_ascii_digit());
        if !differs {
            words.push(word);
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(pointer: Option<&str>, message: &str) -> String {
        let finding = Finding {
            requirement: Some(Code::Payload02),
            step: 0,
            attempt: None,
            pointer: pointer.map(str::to_owned),
            message: message.to_owned(),
            verdict: Verdict::Fail,
            declared: None,
        };
        Cause::of(&finding).to_string()
    }

    #[test]
    fn a_cause_is_a_parameter_or_a_sentence_without_what_differs() {
        assert_eq!(cause(Some("/tools/0/name"), "attempt 1 lost it"), "FP-PAYLOAD-02 /tools");
        let one = cause(None, "attempt 2 went to backup before primary was asked");
        assert_eq!(one, "FP-PAYLOAD-02 attempt went to before was asked");
        assert_eq!(one, cause(None, "attempt 17 went to fourth before third was asked"));
    }
}
