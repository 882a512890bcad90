//! The default policy for retries and fallback, as data.
//!
//! | failure | next deployment | retry |
//! |---|---|---|
//! | no connection, or closed before a response began | yes | yes |
//! | timeout | yes | yes |
//! | a success that is empty, truncated or of the wrong kind | yes | yes |
//! | a success that contains `error` | yes | yes |
//! | 408, 409, 5xx | yes | yes, unless the response has `Retry-After` |
//! | 429 | yes | no: more requests make it worse |
//! | 401, 403, 404 | yes | no |
//! | any other 4xx | no | no |
//!
//! A 400, 413 or 422 is the client's mistake. Every deployment would refuse the request, so the
//! provider's error is returned at once. A 401, 403 or 404 is not the client's mistake, because the
//! credential and the name of the deployment come from this router's configuration. The request may
//! well succeed at another deployment. `OpenAI`'s client libraries also treat 408, 409, 429 and 5xx
//! as temporary: <https://github.com/openai/openai-python#retries>.
//!
//! Setting `fallback_on` replaces the column "next deployment". The column "retry" is fixed;
//! `retries` sets the number of retries. A retry starts at once. Where waiting would help, the
//! router tries the next deployment instead.
//!
//! A stream counts as an answer once its first content arrives. Everything before that is buffered,
//! so that a stream that fails before its first content is handled like any other failure.
//!
//! The failures with "yes" in the column "next deployment" also count towards a deployment's
//! cooldown, because the deployment causes them and not the request. Setting `fallback_on` does not
//! change that.

use axum::http::StatusCode;

use crate::config::Condition;
use crate::outcome::Failure;

/// Whether the failure is covered by one of these conditions.
pub(crate) fn falls_back(conditions: &[Condition], failure: &Failure) -> bool {
    conditions.iter().any(|condition| covers(*condition, failure))
}

/// Whether the failure is caused by the deployment rather than by the request.
pub(crate) fn blames_deployment(failure: &Failure) -> bool {
    failure.refusal_reason().is_none() && falls_back(Condition::RECOMMENDED, failure)
}

/// Whether the failure is covered by this condition.
fn covers(condition: Condition, failure: &Failure) -> bool {
    match (condition, failure) {
        (Condition::Connection, Failure::Connection)
        | (Condition::Timeout, Failure::Timeout)
        | (Condition::InvalidResponse, Failure::InvalidResponse)
        | (Condition::ErrorInSuccess, Failure::ErrorInSuccess(_)) => true,
        (Condition::Status(code), Failure::Refused(answer)) => answer.status.as_u16() == code,
        (Condition::Any4xx, Failure::Refused(answer)) => answer.status.is_client_error(),
        (Condition::Any5xx, Failure::Refused(answer)) => answer.status.is_server_error(),
        _ => false,
    }
}

/// Whether an immediate retry at the same deployment may succeed.
pub(crate) fn may_pass(failure: &Failure) -> bool {
    match failure {
        Failure::Connection | Failure::Timeout | Failure::InvalidResponse => true,
        Failure::ErrorInSuccess(error) => error.refusal_reason().is_none(),
        Failure::Unavailable(_) => false,
        Failure::Refused(answer) => {
            let passing =
                matches!(answer.status, StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT)
                    || answer.status.is_server_error();
            passing && answer.wait.is_none_or(|wait| wait.is_zero())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Bytes;
    use axum::http::HeaderMap;
    use rstest::rstest;

    use super::*;
    use crate::outcome::Answer;
    use crate::provider_error::ProviderError;

    fn refused(status: u16) -> Failure {
        Failure::Refused(Box::new(Answer {
            status: StatusCode::from_u16(status).expect("a status"),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            wait: None,
        }))
    }

    #[rstest]
    #[case::connection(Failure::Connection, true, true)]
    #[case::timeout(Failure::Timeout, true, true)]
    #[case::invalid_response(Failure::InvalidResponse, true, true)]
    #[case::error_in_success(Failure::ErrorInSuccess(ProviderError::default()), true, true)]
    #[case::bad_request(refused(400), false, false)]
    #[case::bad_credential(refused(401), true, false)]
    #[case::forbidden(refused(403), true, false)]
    #[case::no_deployment(refused(404), true, false)]
    #[case::request_timeout(refused(408), true, true)]
    #[case::conflict(refused(409), true, true)]
    #[case::too_large(refused(413), false, false)]
    #[case::unprocessable(refused(422), false, false)]
    #[case::rate_limited(refused(429), true, false)]
    #[case::server_error(refused(500), true, true)]
    #[case::unavailable(refused(503), true, true)]
    #[case::overloaded(refused(529), true, true)]
    fn the_default_policy_matches_its_table(
        #[case] failure: Failure,
        #[case] falls_back: bool,
        #[case] tried_again: bool,
    ) {
        assert_eq!(blames_deployment(&failure), falls_back, "next deployment");
        assert_eq!(may_pass(&failure), tried_again, "same deployment");
    }

    #[test]
    fn a_provider_that_asks_to_wait_is_not_retried_at_once() {
        for (wait_ms, passes) in [(7_000, false), (0, true)] {
            let Failure::Refused(mut answer) = refused(503) else { unreachable!("just made") };
            answer.wait = Some(Duration::from_millis(wait_ms));
            assert_eq!(may_pass(&Failure::Refused(answer)), passes);
        }
    }
}
