//! Validation of forms: how fields are parsed, the errors for invalid fields, and a comparison with
//! a general JSON Schema validator.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::support::{Field, check_fields, schema};
use fallproof_protocol::provider::Endpoint::{
    self, AudioTranscriptions as Transcriptions, AudioTranslations as Translations,
};
use fallproof_protocol::provider::Surface::{self, AzureLegacy, AzureV1, OpenAi};
use fallproof_strict::{Strength, Violation};
use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::select;
use rstest::rstest;
use serde_json::{Value, json};

const MODEL: &str = "whisper-1";

/// A form with a file, a model and the fields in `more`.
fn form(more: &[(&str, &str)]) -> Vec<Field> {
    let mut fields = vec![Field::file("file", b"RIFF"), Field::text("model", MODEL)];
    fields.extend(more.iter().map(|(name, value)| Field::text(name, value)));
    fields
}

fn refusal(surface: Surface, endpoint: Endpoint, fields: &[Field]) -> Violation {
    check_fields(surface, endpoint, MODEL, fields).unwrap_or_else(|| panic!("taken: {fields:?}"))
}

#[rstest]
#[case(&[])]
#[case(&[("language", "en"), ("prompt", "Names: Ada"), ("response_format", "verbose_json"), ("temperature", "0")])]
#[case(&[("temperature", "0.5")])]
#[case(&[("temperature", "1e-05")])]
#[case(&[("stream", "true")])]
// `False` is how Python prints `false`.
#[case(&[("stream", "False")])]
#[case(&[("timestamp_granularities[]", "word"), ("timestamp_granularities[]", "segment")])]
#[case(&[("timestamp_granularities", "word")])]
#[case(&[("include[]", "logprobs"), ("known_speaker_names[]", "Ada"), ("known_speaker_references[]", "data:,")])]
#[case(&[("chunking_strategy", "auto")])]
#[case(&[("chunking_strategy[type]", "server_vad"), ("chunking_strategy[threshold]", "0.5")])]
#[case(&[("chunking_strategy", r#"{"type": "server_vad", "silence_duration_ms": 200}"#)])]
// If a parameter is a string, a value that looks like a number or a boolean is still a string.
#[case(&[("prompt", "42"), ("language", "true"), ("keywords[]", "7")])]
#[case(&[("prompt", "")])]
fn fields_are_read_with_the_types_of_their_parameters(#[case] more: &[(&str, &str)]) {
    assert_eq!(check_fields(OpenAi, Transcriptions, MODEL, &form(more)), None);
}

#[rstest]
#[case(&[("temperature", "hot")], "/temperature",
    "[{'type': 'float_parsing', 'loc': ('body', 'temperature'), 'msg': 'Input should be a valid number, unable to \
     parse string as a number', 'input': 'hot'}]")]
#[case(&[("stream", "maybe")], "/stream",
    "[{'type': 'bool_parsing', 'loc': ('body', 'stream'), 'msg': 'Input should be a valid boolean, unable to \
     interpret input', 'input': 'maybe'}]")]
#[case(&[("timestamp_granularities[]", "word"), ("timestamp_granularities[]", "letter")], "/timestamp_granularities/1",
    "[{'type': 'enum', 'loc': ('body', 'timestamp_granularities', 1), 'msg': \"Input should be 'word' or \
     'segment'\", 'input': 'letter', 'ctx': {'expected': \"'word' or 'segment'\"}}]")]
#[case(&[("temperature", "2")], "/temperature",
    "[{'type': 'less_than_equal', 'loc': ('body', 'temperature'), 'msg': 'Input should be less than or equal to 1', \
     'input': 2, 'ctx': {'le': 1}}]")]
#[case(&[("metadata", "x")], "/metadata",
    "[{'type': 'extra_forbidden', 'loc': ('body', 'metadata'), 'msg': 'Extra inputs are not permitted', 'input': 'x'}]")]
#[case(&[("metadata[a]", "x")], "/metadata[a]",
    "[{'type': 'extra_forbidden', 'loc': ('body', 'metadata[a]'), 'msg': 'Extra inputs are not permitted', \
     'input': 'x'}]")]
#[case(&[("chunking_strategy[type]", "server_vad"), ("chunking_strategy[zzz]", "1")], "/chunking_strategy/zzz",
    "[{'type': 'extra_forbidden', 'loc': ('body', 'chunking_strategy', 'zzz'), 'msg': 'Extra inputs are not \
     permitted', 'input': '1'}]")]
fn an_invalid_field_is_refused_in_the_wording_of_the_audio_endpoints(
    #[case] more: &[(&str, &str)],
    #[case] pointer: &str,
    #[case] message: &str,
) {
    let violation = refusal(OpenAi, Transcriptions, &form(more));
    assert_eq!(violation.message, message);
    assert_eq!(violation.pointer, pointer);
    assert_eq!((violation.param, violation.code), (None, None));
}

#[test]
fn a_file_is_accepted_in_the_file_field_only() {
    let model = Field::text("model", MODEL);
    let missing = refusal(OpenAi, Translations, std::slice::from_ref(&model));
    assert_eq!(
        missing.message,
        "[{'type': 'missing', 'loc': ('body', 'file'), 'msg': 'Field required'}]"
    );
    let text = refusal(OpenAi, Translations, &[Field::text("file", "sound"), model]);
    assert!(text.message.contains("Expected UploadFile"), "{}", text.message);
    let file =
        refusal(OpenAi, Translations, &[Field::file("file", b""), Field::file("model", b"m")]);
    assert!(file.message.contains("Input should be a valid string"), "{}", file.message);
}

#[test]
fn bytes_that_are_not_text_are_a_file_even_without_a_file_name() {
    let nameless = Field { filename: None, ..Field::file("file", b"\xff\xf3") };
    let fields = [nameless, Field::text("model", MODEL)];
    assert_eq!(check_fields(OpenAi, Transcriptions, MODEL, &fields), None);
}

#[test]
fn a_duplicate_field_is_a_warning_unless_it_is_a_list() {
    let twice = refusal(OpenAi, Transcriptions, &form(&[("language", "en"), ("language", "de")]));
    assert_eq!((twice.pointer.as_str(), twice.strength), ("/language", Strength::Documented));
    let list = form(&[("keywords[]", "a"), ("keywords[]", "b")]);
    assert_eq!(check_fields(OpenAi, Transcriptions, MODEL, &list), None);
}

#[rstest]
// https://github.com/openai/openai-dotnet/issues/401
#[case("gpt-4o-transcribe", "verbose_json", true)]
#[case("gpt-4o-transcribe", "json", false)]
#[case("gpt-4o-transcribe-diarize", "diarized_json", false)]
#[case("whisper-1", "verbose_json", false)]
fn newer_models_support_fewer_formats(
    #[case] model: &str,
    #[case] format: &str,
    #[case] refused: bool,
) {
    let fields = form(&[("response_format", format)]);
    let violation = check_fields(OpenAi, Transcriptions, model, &fields);
    let message = format!(
        "response_format '{format}' is not compatible with model '{model}'. Use 'json' or 'text' instead."
    );
    assert_eq!(violation.as_ref().map(|one| one.message.as_str()), refused.then_some(&*message));
    if let Some(violation) = violation {
        assert_eq!(violation.code.as_deref(), Some("unsupported_value"));
        assert_eq!(violation.strength, Strength::Observed);
    }
}

#[test]
fn the_legacy_surface_requires_no_model_and_supports_fewer_parameters() {
    let file = Field::file("file", b"RIFF");
    assert_eq!(check_fields(AzureLegacy, Translations, MODEL, std::slice::from_ref(&file)), None);
    assert!(check_fields(AzureV1, Translations, MODEL, std::slice::from_ref(&file)).is_some());
    let newer = refusal(AzureLegacy, Transcriptions, &form(&[("stream", "true")]));
    assert_eq!((newer.pointer.as_str(), newer.strength), ("/stream", Strength::Documented));
}

/// The JSON Schema of a form endpoint, split into one validator per parameter.
struct Oracle {
    required: Vec<String>,
    parameters: BTreeMap<String, Validator>,
}

static ORACLES: LazyLock<Vec<(Surface, Endpoint, Oracle)>> = LazyLock::new(|| {
    let pairs = Surface::ALL.into_iter().flat_map(|s| [(s, Transcriptions), (s, Translations)]);
    pairs.map(|(surface, endpoint)| (surface, endpoint, oracle(surface, endpoint))).collect()
});

fn oracle(surface: Surface, endpoint: Endpoint) -> Oracle {
    let schema = schema(surface, endpoint);
    let validator = |parameter: &Value| {
        let mut parameter = parameter.clone();
        if let Some(definitions) = schema.get("$defs") {
            parameter["$defs"] = definitions.clone();
        }
        jsonschema::draft202012::new(&parameter).expect("a schema")
    };
    let parameters = schema["properties"].as_object().expect("an object").iter();
    let required = schema["required"].as_array().expect("a list").iter();
    Oracle {
        required: required.map(|name| name.as_str().expect("a name").to_owned()).collect(),
        parameters: parameters.map(|(name, one)| (name.clone(), validator(one))).collect(),
    }
}

impl Oracle {
    /// Whether a form with these fields is valid: all its parameters exist. The values of each
    /// parameter form a valid list; or there is only one value, which is valid as a string or as
    /// JSON.
    fn accepts(&self, fields: &BTreeMap<&str, Vec<&str>>, file: bool) -> bool {
        let needed = |name: &String| {
            if name == "file" { file } else { fields.contains_key(name.as_str()) }
        };
        self.required.iter().all(needed)
            && fields.iter().all(|(&name, texts)| {
                name != "file"
                    && self.parameters.get(name).is_some_and(|validator| {
                        let list = texts.iter().map(|text| Value::from(*text)).collect();
                        validator.is_valid(&Value::Array(list))
                            || texts.len() == 1
                                && readings(texts[0]).iter().any(|value| validator.is_valid(value))
                    })
            })
    }
}

fn readings(text: &str) -> Vec<Value> {
    let json = serde_json::from_str::<Value>(text).ok();
    json.into_iter().filter(|value| !value.is_string()).chain([json!(text)]).collect()
}

const NAMES: &[&str] = &[
    "model",
    "language",
    "prompt",
    "temperature",
    "response_format",
    "stream",
    "timestamp_granularities",
    "include",
    "known_speaker_names",
    "languages",
    "chunking_strategy",
    "file",
    "zzz",
];
const TEXTS: &[&str] = &[
    "", "a", "json", "vtt", "word", "logprobs", "auto", "true", "false", "0", "0.5", "1", "2",
    "-1", "1e3", "zzz", "en",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_check_agrees_with_a_json_schema_validator(
        file in any::<bool>(),
        fields in prop::collection::btree_map(select(NAMES), prop::collection::vec(select(TEXTS), 1..6), 0..4),
    ) {
        let mut sent: Vec<_> = file.then(|| Field::file("file", b"RIFF")).into_iter().collect();
        // Remove a second file and a second value of a scalar parameter, so that duplicates are not
        // mixed with invalid values.
        let mut fields = fields;
        if file { fields.remove("file"); }
        for (name, texts) in &mut fields {
            let is_list = matches!(*name, "timestamp_granularities" | "include" | "known_speaker_names" | "languages");
            if !is_list { texts.truncate(1); }
            let name = if is_list { format!("{name}[]") } else { (*name).to_owned() };
            sent.extend(texts.iter().map(|text| Field::text(&name, text)));
        }
        for (surface, endpoint, oracle) in ORACLES.iter() {
            let violation = check_fields(*surface, *endpoint, "", &sent);
            prop_assert_eq!(
                violation.is_none(), oracle.accepts(&fields, file), "{:?} {:?} {:?}", surface, violation, sent
            );
        }
    }

    #[test]
    fn the_check_never_panics_on_a_form(
        endpoint in select(&Endpoint::ALL[..]),
        fields in prop::collection::vec(
            (
                prop_oneof![select(NAMES).prop_map(str::to_owned), "[a-z_\\[\\]]{0,24}", any::<String>()],
                prop::option::of(any::<String>()),
                prop_oneof![prop::collection::vec(any::<u8>(), 0..40), select(TEXTS).prop_map(|t| t.as_bytes().to_vec())],
            ),
            0..8,
        ),
    ) {
        let fields: Vec<_> =
            fields.into_iter().map(|(name, filename, value)| Field { name, filename, value }).collect();
        for surface in Surface::ALL {
            check_fields(surface, endpoint, "gpt-4o-transcribe", &fields);
        }
    }
}
