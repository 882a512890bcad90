//! Parsing of a JSON body.

use std::fmt;

use axum::body::Bytes;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{BadBody, ClientBody, RequestHints, span};

impl ClientBody {
    /// Parses a JSON body.
    ///
    /// If several members have the same name, the last one counts, as in most JSON parsers.
    pub(crate) fn json(bytes: Bytes) -> Result<Self, BadBody> {
        let members: Members<'_> =
            serde_json::from_slice(&bytes).map_err(|_| BadBody::NotAnObject)?;
        let last = members.models.last().ok_or(BadBody::NoModel)?.get();
        if !last.starts_with('"') {
            return Err(BadBody::ModelIsNoString);
        }
        let model = serde_json::from_str(last).map_err(|_| BadBody::NotAnObject)?;
        let spans = members.models.iter().map(|it| span(it.get().as_bytes(), &bytes)).collect();
        let hints = RequestHints {
            stream: members.stream.is_some_and(|value| value.get() == "true"),
            stream_format: members.stream_format.and_then(string),
            // `response_format` matters only in forms, where it is the format of a transcript.
            response_format: None,
            previous_response_id: members.previous_response_id.and_then(string),
        };
        Ok(Self { bytes, model, spans, is_json: true, hints })
    }
}

fn string(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// The relevant members of an object. Their values are borrowed from the body.
#[derive(Default)]
struct Members<'a> {
    models: Vec<&'a RawValue>,
    stream: Option<&'a RawValue>,
    stream_format: Option<&'a RawValue>,
    previous_response_id: Option<&'a RawValue>,
}

/// The name of a member. In the body, it may contain escapes.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Name {
    Model,
    Stream,
    StreamFormat,
    PreviousResponseId,
    #[serde(other)]
    Other,
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members::default();
        while let Some((name, value)) = map.next_entry()? {
            match name {
                Name::Model => members.models.push(value),
                Name::Stream => members.stream = Some(value),
                Name::StreamFormat => members.stream_format = Some(value),
                Name::PreviousResponseId => members.previous_response_id = Some(value),
                Name::Other => {}
            }
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn parse(body: &str) -> Result<ClientBody, BadBody> {
        ClientBody::json(Bytes::copy_from_slice(body.as_bytes()))
    }

    #[rstest]
    #[case::alone(r#"{"model":"a"}"#, r#"{"model":"B"}"#)]
    #[case::blanks(
        " {\n\t\"model\" :\r\n \"a\" , \"n\":1 } \n",
        " {\n\t\"model\" :\r\n \"B\" , \"n\":1 } \n"
    )]
    #[case::last(r#"{"n":1e0,"model":"a"}"#, r#"{"n":1e0,"model":"B"}"#)]
    #[case::escaped_name(r#"{"\u006dodel":"a"}"#, r#"{"\u006dodel":"B"}"#)]
    #[case::escaped_value(r#"{"model":"\u0061"}"#, r#"{"model":"B"}"#)]
    #[case::nested(r#"{"x":{"model":"a"},"model":"a"}"#, r#"{"x":{"model":"a"},"model":"B"}"#)]
    #[case::in_an_array(
        r#"{"model":"a","x":[{"model":"a"}]}"#,
        r#"{"model":"B","x":[{"model":"a"}]}"#
    )]
    #[case::inside_a_string(
        r#"{"x":"\"model\":\"a\"","model":"a"}"#,
        r#"{"x":"\"model\":\"a\"","model":"B"}"#
    )]
    #[case::as_a_value(r#"{"x":"model","model":"a"}"#, r#"{"x":"model","model":"B"}"#)]
    #[case::other_case(r#"{"Model":"x","model":"a"}"#, r#"{"Model":"x","model":"B"}"#)]
    #[case::twice(r#"{"model":"x","n":1,"model":"a"}"#, r#"{"model":"B","n":1,"model":"B"}"#)]
    #[case::twice_with_another_type(
        r#"{"model":{"y":[1]},"model":"a"}"#,
        r#"{"model":"B","model":"B"}"#
    )]
    #[case::what_a_round_trip_would_change(
        r#"{"a":1.0E+2,"b":12345678901234567890123,"c":-0,"d":"\/\u00e9","d":1,"model":"a"}"#,
        r#"{"a":1.0E+2,"b":12345678901234567890123,"c":-0,"d":"\/\u00e9","d":1,"model":"B"}"#
    )]
    #[case::half_a_surrogate_pair(
        r#"{"x":"\ud83d","y":1e999,"model":"a"}"#,
        r#"{"x":"\ud83d","y":1e999,"model":"B"}"#
    )]
    fn only_the_value_of_model_changes(#[case] body: &str, #[case] spliced: &str) {
        let body = parse(body).expect("a body with a model");
        assert_eq!(body.model, "a");
        assert_eq!(body.with_model("B"), spliced);
    }

    #[test]
    fn a_name_is_written_as_json() {
        let body = parse(r#"{"model":"a"}"#).expect("a body with a model");
        assert_eq!(body.with_model("say \"é\"\n"), r#"{"model":"say \"é\"\n"}"#);
    }

    #[rstest]
    #[case::nothing("", BadBody::NotAnObject)]
    #[case::array(r#"["model","a"]"#, BadBody::NotAnObject)]
    #[case::string(r#""model""#, BadBody::NotAnObject)]
    #[case::cut_short(r#"{"model":"a""#, BadBody::NotAnObject)]
    #[case::more_after_it(r#"{"model":"a"} {}"#, BadBody::NotAnObject)]
    #[case::trailing_comma(r#"{"model":"a",}"#, BadBody::NotAnObject)]
    #[case::byte_order_mark("\u{feff}{\"model\":\"a\"}", BadBody::NotAnObject)]
    #[case::half_a_surrogate_pair(r#"{"model":"\ud83d"}"#, BadBody::NotAnObject)]
    #[case::empty("{}", BadBody::NoModel)]
    #[case::only_nested(r#"{"x":{"model":"a"}}"#, BadBody::NoModel)]
    #[case::null(r#"{"model":null}"#, BadBody::ModelIsNoString)]
    #[case::boolean(r#"{"model":true}"#, BadBody::ModelIsNoString)]
    #[case::integer(r#"{"model":-5}"#, BadBody::ModelIsNoString)]
    #[case::decimal(r#"{"model":5e1}"#, BadBody::ModelIsNoString)]
    #[case::list(r#"{"model":["a"]}"#, BadBody::ModelIsNoString)]
    #[case::object(r#"{"model":{}}"#, BadBody::ModelIsNoString)]
    #[case::last_of_two(r#"{"model":"a","model":1}"#, BadBody::ModelIsNoString)]
    fn a_body_that_cannot_be_routed_is_refused(#[case] body: &str, #[case] bad: BadBody) {
        assert_eq!(parse(body).map(|body| body.with_model("B")), Err(bad));
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_not_json() {
        let body = Bytes::from_static(b"{\"x\":\"\xff\",\"model\":\"a\"}");
        assert_eq!(ClientBody::json(body).map(|_| ()), Err(BadBody::NotAnObject));
    }

    #[test]
    fn deep_nesting_does_not_overflow_the_stack() {
        let depth = 200_000;
        let body = format!("{{\"x\":{}{},\"model\":\"a\"}}", "[".repeat(depth), "]".repeat(depth));
        let expected = body.replace(r#""a""#, r#""B""#);
        assert!(parse(&body).expect("a body with a model").with_model("B") == expected);
    }

    #[rstest]
    #[case(r#"{"model":"a"}"#, false)]
    #[case(r#"{"model":"a","stream":true}"#, true)]
    #[case(r#"{"model":"a","stream":false}"#, false)]
    #[case(r#"{"model":"a","stream":"true"}"#, false)]
    #[case(r#"{"model":"a","x":{"stream":true}}"#, false)]
    fn only_a_top_level_true_asks_for_a_stream(#[case] body: &str, #[case] asks: bool) {
        assert_eq!(parse(body).expect("a body with a model").hints.stream, asks);
    }

    /// Any JSON value of small depth.
    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map_into(),
            any::<i64>().prop_map_into(),
            any::<f64>().prop_map_into(),
            any::<String>().prop_map_into(),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let name = prop_oneof![Just("model".to_owned()), any::<String>()];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map_into(),
                prop::collection::hash_map(name, inner, 0..4)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn everything_around_the_model_is_preserved(
            before in prop::collection::vec(("[a-l]{1,5}", json()), 0..4),
            after in prop::collection::vec(("[a-l]{1,5}", json()), 0..4),
            asked in any::<String>(),
            name in any::<String>(),
        ) {
            let body = |model: &str| {
                let mut members = before.clone();
                members.push(("model".to_owned(), model.into()));
                members.extend_from_slice(&after);
                let members = members.iter().map(|(name, value)| format!("{name:?}: {value:#}"));
                format!("{{ {} }}", members.collect::<Vec<_>>().join(" ,\n"))
            };
            let parsed = parse(&body(&asked)).expect("a body with a model");
            prop_assert_eq!(&parsed.model, &asked);
            prop_assert_eq!(parsed.with_model(&name), body(&name));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = ClientBody::json(bytes.into());
        }
    }
}
