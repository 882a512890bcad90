//! Fallback conditions, as they are written in a configuration.

use serde::Deserialize;

use super::error::Invalid;

/// A kind of failure after which the next deployment is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Condition {
    /// `connection`: the connection failed, or ended before a response began.
    Connection,
    /// `timeout`: the response, or the first content of a stream, did not arrive in time.
    Timeout,
    /// `invalid_response`: a success that is empty, truncated or of the wrong kind, or a response
    /// that is neither a success nor an error.
    InvalidResponse,
    /// `error_in_success`: a response with a success status but with `error` in its body or stream.
    ErrorInSuccess,
    /// A status such as `429`: an error with exactly this status.
    Status(u16),
    /// `4xx`: any status from 400 to 499: the request is at fault.
    Any4xx,
    /// `5xx`: any status from 500 to 599: the provider is at fault.
    Any5xx,
}

impl Condition {
    /// The default of `fallback_on`.
    pub const RECOMMENDED: &[Self] = &[
        Self::Connection,
        Self::Timeout,
        Self::InvalidResponse,
        Self::ErrorInSuccess,
        Self::Status(401),
        Self::Status(403),
        Self::Status(404),
        Self::Status(408),
        Self::Status(409),
        Self::Status(429),
        Self::Any5xx,
    ];
}

impl TryFrom<String> for Condition {
    type Error = Invalid;

    /// # Errors
    /// The string is neither a name from the list above nor a status from 400 to 599.
    fn try_from(text: String) -> Result<Self, Invalid> {
        Ok(match text.as_str() {
            "connection" => Self::Connection,
            "timeout" => Self::Timeout,
            "invalid_response" => Self::InvalidResponse,
            "error_in_success" => Self::ErrorInSuccess,
            "4xx" => Self::Any4xx,
            "5xx" => Self::Any5xx,
            other => match other.parse() {
                Ok(code @ 400..=599) => Self::Status(code),
                _ => return Err(Invalid::UnknownCondition(text)),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("connection", Condition::Connection)]
    #[case("timeout", Condition::Timeout)]
    #[case("invalid_response", Condition::InvalidResponse)]
    #[case("error_in_success", Condition::ErrorInSuccess)]
    #[case("429", Condition::Status(429))]
    #[case("4xx", Condition::Any4xx)]
    #[case("5xx", Condition::Any5xx)]
    fn a_condition_reads_as_it_is_written(#[case] text: &str, #[case] condition: Condition) {
        assert_eq!(Condition::try_from(text.to_owned()), Ok(condition));
    }

    #[rstest]
    #[case("200")]
    #[case("600")]
    #[case("3xx")]
    #[case("Timeout")]
    #[case("")]
    fn anything_else_is_not_a_condition(#[case] text: &str) {
        let refused = Invalid::UnknownCondition(text.to_owned());
        assert_eq!(Condition::try_from(text.to_owned()), Err(refused));
    }
}
