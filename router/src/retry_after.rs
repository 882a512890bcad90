//! How long a provider asks its clients to wait.

use std::time::{Duration, SystemTime};

use axum::http::header::{DATE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName};

/// A header with the wait in milliseconds, which `OpenAI` and Azure send in addition to
/// `Retry-After`.
pub(crate) const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");

/// How long a response asks clients to wait; `None` if it has no valid wait.
///
/// `retry-after-ms` takes precedence over `Retry-After`, unless it is 0: Azure sends 0 together
/// with whole seconds in `Retry-After`. If `Retry-After` is a date, it is compared with the `Date`
/// of the same response, so that clock skew does not matter; without a `Date`, it is compared with
/// `now`.
pub(crate) fn wait(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let milliseconds = text(RETRY_AFTER_MS).and_then(seconds).map(|thousands| thousands / 1000);
    milliseconds.filter(|wait| !wait.is_zero()).or_else(|| {
        let value = text(RETRY_AFTER)?;
        seconds(value).or_else(|| {
            let until = httpdate::parse_http_date(value).ok()?;
            let from = text(DATE).and_then(|date| httpdate::parse_http_date(date).ok());
            Some(until.duration_since(from.unwrap_or(now)).unwrap_or_default())
        })
    })
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const NOW: &str = "Wed, 21 Oct 2026 07:28:00 GMT";

    #[rstest]
    #[case::seconds(&[("retry-after", "7")], Some(7_000))]
    #[case::part_of_a_second(&[("retry-after", "0.5")], Some(500))]
    #[case::none_at_all(&[], None)]
    #[case::none_needed(&[("retry-after", "0")], Some(0))]
    #[case::milliseconds(&[("retry-after-ms", "494"), ("retry-after", "1")], Some(494))]
    #[case::zero_beside_a_second(&[("retry-after-ms", "0"), ("retry-after", "1")], Some(1_000))]
    #[case::date(&[("retry-after", "Wed, 21 Oct 2026 07:28:30 GMT")], Some(30_000))]
    #[case::past(&[("retry-after", "Wed, 21 Oct 2026 07:27:30 GMT")], Some(0))]
    #[case::by_the_providers_clock(
        &[("retry-after", "Wed, 21 Oct 2026 09:00:05 GMT"), ("date", "Wed, 21 Oct 2026 09:00:00 GMT")],
        Some(5_000)
    )]
    #[case::text(&[("retry-after", "soon")], None)]
    #[case::negative(&[("retry-after", "-1")], None)]
    #[case::endless(&[("retry-after", "inf")], None)]
    #[case::too_long(&[("retry-after", "1e300")], None)]
    #[case::unreadable_beside_a_second(&[("retry-after-ms", "x"), ("retry-after", "1")], Some(1_000))]
    fn a_wait_is_read_however_it_is_written(
        #[case] headers: &[(&'static str, &'static str)],
        #[case] wait_ms: Option<u64>,
    ) {
        let headers = headers
            .iter()
            .map(|(name, value)| {
                (HeaderName::from_static(name), value.parse().expect("a header value"))
            })
            .collect();
        let now = httpdate::parse_http_date(NOW).expect("a date");
        assert_eq!(wait(&headers, now), wait_ms.map(Duration::from_millis));
    }
}
