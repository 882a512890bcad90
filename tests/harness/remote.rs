//! Addresses beyond this machine: what they need, and how a gateway is told them.

use std::fs;
use std::process::Output;

use rstest::rstest;
use serde_json::Value;
use tempfile::TempDir;

use crate::shell::{self, told};

const FOUNDING: &str = "responses-compact/openai-to-azure";
const REFERENCE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/harness/adapters/reference.yaml");

fn fallproof(arguments: &[&str]) -> Output {
    let folder = TempDir::new().expect("a temporary folder");
    shell::fallproof(folder.path(), arguments)
}

#[rstest]
#[case::target(&["run", FOUNDING, "--target", "http://192.0.2.1:4000/v1"], "the client's key goes there in clear text")]
#[case::target_by_name(&["doctor", FOUNDING, "--target", "http://gateway:4000"], "in clear text")]
#[case::probed_target(&["probe", "--target", "http://[fd00::1]:4000"], "in clear text")]
#[case::fuzzed_target(&["fuzz", "--target", "http://192.0.2.1/v1"], "in clear text")]
#[case::mocks(&["run", FOUNDING, "--target", "http://127.0.0.1:1/v1", "--listen", "192.0.2.1"], "their keys are made up")]
#[case::mocks_on_every_address(&["fuzz", "--target", "http://127.0.0.1:1/v1", "--listen", "0.0.0.0", "--advertise", "mocks"], "answer everybody who reaches their ports")]
#[case::mocks_of_a_launched_gateway(&["run", FOUNDING, "--adapter", REFERENCE, "--launch", "--program", REFERENCE, "--listen", "192.0.2.1"], "their keys are made up")]
#[case::served_mocks(&["serve", "--listen", "::", "--advertise", "mocks"], "the admin port needs no key")]
#[case::router(&["router", "--saboteur", "invented-metadata", FOUNDING, "--listen", "0.0.0.0:0"], "has the keys of its deployments")]
fn an_address_beyond_this_machine_must_be_allowed(#[case] options: &[&str], #[case] why: &str) {
    let output = fallproof(options);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    let told = told(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains(why) && told.contains("add --allow-remote"), "{told}");
}

#[rstest]
#[case::plan(&["plan", FOUNDING, "--listen", "0.0.0.0"])]
#[case::run(&["run", FOUNDING, "--target", "http://127.0.0.1:1/v1", "--listen", "[::]:9100", "--allow-remote"])]
#[case::serve(&["serve", "--listen", "0.0.0.0", "--allow-remote"])]
fn nobody_is_told_to_connect_to_every_address(#[case] options: &[&str]) {
    let output = fallproof(options);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(told(&output).contains("--advertise host.docker.internal"), "{}", told(&output));
}

#[rstest]
#[case::with_launch(&["--launch", "--adapter", REFERENCE, "--program", REFERENCE, "--listen", "127.0.0.1:9100"], "without a port")]
#[case::without_a_gateway(&["--advertise", "mocks"], "are for a gateway")]
fn the_options_of_the_mocks_need_a_gateway_that_leaves_the_choice(
    #[case] options: &[&str],
    #[case] why: &str,
) {
    let output = fallproof(&[&["run", FOUNDING], options].concat());
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(told(&output).contains(why), "{}", told(&output));
}

/// The base URL of the first deployment in the plan of one scenario, for these options.
fn base_url(options: &[&str]) -> String {
    let output = fallproof(&[&["plan", FOUNDING, "--json"], options].concat());
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let plan: Value = serde_json::from_slice(&output.stdout).expect("the plan is JSON");
    plan["groups"][0]["chain"][0]["base_url"].as_str().expect("it has a URL").to_owned()
}

#[rstest]
#[case::default(&[], "http://127.0.0.1:9100/")]
#[case::address(&["--listen", "10.0.0.1"], "http://10.0.0.1:9100/")]
#[case::address_and_port(&["--listen", "[fd00::1]:9300"], "http://[fd00::1]:9300/")]
#[case::name(&["--advertise", "host.docker.internal"], "http://host.docker.internal:9100/")]
#[case::name_of_a_port(&["--listen", "0.0.0.0:9300", "--advertise", "mocks"], "http://mocks:9300/")]
#[case::other_port(&["--listen", "0.0.0.0", "--advertise", "mocks:80"], "http://mocks:80/")]
fn a_plan_has_the_address_that_the_gateway_is_told(#[case] options: &[&str], #[case] wanted: &str) {
    assert!(base_url(options).starts_with(wanted), "{}", base_url(options));
}

#[test]
fn a_configuration_has_the_address_that_the_gateway_is_told() {
    let folder = TempDir::new().expect("a temporary folder");
    let out = folder.path().to_str().expect("a temporary path is text");
    let output = fallproof(&[
        "config",
        REFERENCE,
        FOUNDING,
        "--out",
        out,
        "--gateway-listen",
        "0.0.0.0:4000",
        "--listen",
        "0.0.0.0",
        "--advertise",
        "host.docker.internal",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let file = fs::read_to_string(folder.path().join("1/router.yaml")).expect("it was written");
    assert!(file.contains("http://host.docker.internal:9100/"), "{file}");
    assert!(!file.contains("127.0.0.1"), "{file}");
    let run = "--target http://127.0.0.1:4000 --listen 0.0.0.0 --advertise host.docker.internal \
               --allow-remote";
    assert!(told(&output).contains(run), "{}", told(&output));
}
