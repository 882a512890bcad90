//! Parsing of transport faults from YAML.

use crate::server_support::by_bytes;
use fallproof_mocks::behavior::{
    Behavior, Chunking, Cut, CutEnd, CutPoint, HeadFault, KeepAliveFault, WireFault,
};
use fallproof_protocol::coding::Coding;
use rstest::rstest;

fn read(yaml: &str) -> Result<WireFault, String> {
    serde_saphyr::from_str::<Behavior>(yaml)
        .map(|behavior| behavior.wire)
        .map_err(|error| error.to_string())
}

fn off_by(bytes: i32) -> Option<HeadFault> {
    bytes.try_into().ok().map(HeadFault::ContentLengthOffBy)
}

#[rstest]
#[case::nothing("{ wire: {} }", WireFault::default())]
#[case::delays(
    "{ wire: { delay_ms: 20, chunk_delay_ms: 5 } }",
    WireFault { delay_ms: Some(20), chunk_delay_ms: Some(5), ..WireFault::default() }
)]
#[case::paced(
    "{ wire: { chunk_delay_ms: 5, paced: true } }",
    WireFault { chunk_delay_ms: Some(5), paced: true, ..WireFault::default() }
)]
#[case::packed(
    "{ wire: { encoding: gzip } }",
    WireFault { encoding: Some(Coding::Gzip), ..WireFault::default() }
)]
#[case::stale(
    "{ wire: { keep_alive: closes_on_reuse } }",
    WireFault { keep_alive: Some(KeepAliveFault::ClosesOnReuse), ..WireFault::default() }
)]
#[case::events(
    "{ wire: { write: events, cut: { at: { events: 2 }, end: reset } } }",
    WireFault {
        write: Some(Chunking::Events),
        cut: Some(Cut { at: CutPoint::Events(2), end: CutEnd::Reset }),
        ..WireFault::default()
    }
)]
#[case::bytes(
    "{ wire: { write: { bytes: 7 }, cut: { at: { body_bytes: 40 }, end: stall } } }",
    WireFault {
        write: by_bytes(7),
        cut: Some(Cut { at: CutPoint::BodyBytes(40), end: CutEnd::Stall }),
        ..WireFault::default()
    }
)]
#[case::after_head(
    "{ wire: { cut: { at: after_head, end: close } } }",
    WireFault {
        cut: Some(Cut { at: CutPoint::AfterHead, end: CutEnd::Close }),
        ..WireFault::default()
    }
)]
#[case::garbage(
    "{ wire: { head: garbage } }",
    WireFault { head: Some(HeadFault::Garbage), ..WireFault::default() }
)]
#[case::too_great(
    "{ wire: { head: { content_length_off_by: +5 } } }",
    WireFault { head: off_by(5), ..WireFault::default() }
)]
#[case::too_small(
    "{ wire: { head: { content_length_off_by: -5 } } }",
    WireFault { head: off_by(-5), ..WireFault::default() }
)]
fn faults_are_read_from_yaml(#[case] yaml: &str, #[case] plan: WireFault) {
    assert_eq!(read(yaml), Ok(plan));
}

#[rstest]
#[case("{ wire: { write: { bytes: 0 } } }")]
#[case("{ wire: { head: { content_length_off_by: 0 } } }")]
#[case("{ wire: { cut: { at: before_head } } }")]
#[case("{ wire: { cut: { at: { events: -1 }, end: close } } }")]
#[case("{ wire: { delay: 5 } }")]
#[case("{ wire: { keep_alive: never } }")]
#[case("{ wire: { encoding: zip } }")]
#[case("{ wire: { write: chunks } }")]
fn an_invalid_fault_is_refused(#[case] yaml: &str) {
    let error = read(yaml).expect_err("refused");
    assert!(!error.is_empty());
}

#[test]
fn a_fault_supplies_the_settings_that_another_one_omits() {
    let one = read("{ wire: { delay_ms: 1, write: events } }").expect("a plan");
    let other = read(
        "{ wire: { delay_ms: 2, write: { bytes: 1 }, chunk_delay_ms: 3, head: garbage, \
         paced: true, encoding: gzip, keep_alive: closes, cut: { at: after_head, end: stall } } }",
    )
    .expect("a plan");
    let both = WireFault { delay_ms: Some(1), write: Some(Chunking::Events), ..other.clone() };
    assert_eq!(one.or(other.clone()), both);
    assert_eq!(other.clone().or(WireFault::default()), other);
    assert_eq!(WireFault::default().or(other.clone()), other);
}
