//! What stands in braces in a body, and is not what it was meant to be.

use super::support::{assert_refused, assert_text_refused, load, valid_but};

#[test]
fn a_placeholder_for_letters_says_a_number_that_a_machine_can_bear() {
    for written in ["99999999999", "18446744073709551615", "32000001", "-1", "five", "5k"] {
        let placeholder = format!("{{{{letters:{written}}}}}");
        let words = [
            &*format!("`{placeholder}` does not say how many letters"),
            "a number up to 32000000, as in `{{letters:5000}}`",
        ];
        assert_refused("\"Hello\"", &format!("\"Hello «{placeholder}\""), &words);
    }
}

#[test]
fn an_unknown_placeholder_is_refused_with_the_right_one() {
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
fn what_is_not_meant_as_a_placeholder_is_sent() {
    for written in ["{{ respons_id }}", "{{}}", "{{a.b}}", "{{a b}}", "{modell}", "{{modell"] {
        load(valid_but("Hello", written)).expect("a valid scenario");
    }
}

#[test]
fn a_placeholder_of_a_case_is_refused_where_the_family_has_it() {
    let text = valid_but("proves:", "matrix: { way: [one, two] }\nproves:");
    let text = text.replace("\"Hello\"", "\"{way} «{{respons_id}}\"");
    assert_text_refused(text, &["did you mean `response_id`?"]);
}
