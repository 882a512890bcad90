//! The requirement codes, which must be the same in Rust and in YAML.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use fallproof_suite::requirement::Code;
use fallproof_suite::yaml;
use serde::Deserialize;
use strum::VariantArray as _;

use crate::common::assert_up_to_date;

const FILE: &str = "harness/suite/src/requirement/code.rs";

#[derive(Deserialize)]
struct Written {
    code: String,
    sentence: String,
}

/// The requirements in the YAML file. They are not parsed to `Requirement`, which cannot hold a
/// code that the enum does not have yet.
fn written() -> Vec<Written> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/requirements.yaml");
    let text = fs::read_to_string(&file).expect("the requirements can be read");
    yaml::parse(&file, &text).expect("the requirements are YAML")
}

/// Converts `FP-PAYLOAD-01` to a variant name, `Payload01`.
fn variant(code: &str) -> String {
    let (family, number) = code["FP-".len()..].rsplit_once('-').expect("a family and a number");
    format!("{}{}{number}", &family[..1], family[1..].to_lowercase())
}

#[test]
fn the_enum_of_codes_matches_the_requirements() {
    let written = written();
    let mut text = "\
//! The codes of all requirements, in document order.
//!
//! Generated from scenarios/requirements.yaml: UPDATE=1 cargo test --test harness codes
#![allow(clippy::doc_markdown, reason = \"the sentences are for readers of YAML, too\")]

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// The code of a requirement. Codes are ordered like the requirements.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
pub enum Code {
"
    .to_owned();
    for Written { code, sentence } in &written {
        let _ = writeln!(text, "    /// {}", sentence.trim());
        let _ = writeln!(text, "    #[strum(serialize = \"{code}\")]\n    {},", variant(code));
    }
    text.push_str("}\n");
    assert_up_to_date(FILE, &text, "codes");
    let codes: Vec<_> = Code::VARIANTS.iter().map(|code| code.as_str()).collect();
    assert!(
        written.iter().map(|it| it.code.as_str()).eq(codes),
        "{FILE} was regenerated; run the test again"
    );
    assert_eq!(Code::Payload01.family(), "PAYLOAD");
}
