//! Invalid placeholders in bodies.

use super::support::{assert_refused, assert_text_refused, load, valid_but};

#[test]
fn a_placeholder_for_letters_needs_a_number_within_the_limit() {
    for written in ["99999999999", "18446744073709551615", "32000001", "-1", "five", "5k"] {
        let placeholder = format!("{{{{letters:{written}}}}}");
        let words = [
            &*format!("`{placeholder}` has no valid number of letters"),
            "a number up to 32000000, as in `{{letters:5000}}`",
        ];
        assert_refused("\"Hello\"", &format!("\"Hello «{placeholder}\""), &words);
    }
}

#[test]
fn an_unknown_placeholder_is_refused_with_a_suggestion() {
    for (written, words) in [
        ("{{respons_id}}", "did you mean `response_id`?"),
        ("{{letter:500000}}", "did you mean `letters:5000`?"),
        ("{{letters}}", "did you mean `letters:5000`?"),
        ("{{modell}}", "did you mean `model`?"),
        ("{{anything}}", "one of: model, call, response_id, letters:5000"),
    ] {
        let words = [&*format!("unknown placeholder `{written}`"), words];
        assert_refused("\"Hello\"", &format!("\"Hello «{written}\""), &words);
        assert_refused("\"Hello\"", &format!("[\"a\",\n        \"b «{written}\"]"), &words);
        let json = format!(
            "body_json: |\n        {{\"model\": \"{{{{model}}}}\",\n         \"a\": \"«{written}\"}}"
        );
        assert_refused("body: { input: \"Hello\" }", &json, &words);
    }
}

#[test]
fn text_that_is_not_a_placeholder_is_sent() {
    for written in ["{{ respons_id }}", "{{}}", "{{a.b}}", "{{a b}}", "{modell}", "{{modell"] {
        load(valid_but("Hello", written)).expect("a valid scenario");
    }
}

#[test]
fn an_invalid_placeholder_of_a_case_is_reported_at_its_position_in_the_family() {
    let text = valid_but("proves:", "matrix: { way: [one, two] }\nproves:");
    let text = text.replace("\"Hello\"", "\"{way} «{{respons_id}}\"");
    assert_text_refused(text, &["did you mean `response_id`?"]);
}
