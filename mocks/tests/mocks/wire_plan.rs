//! How faults are spelled in YAML.

use crate::wire_support::by_bytes;
use fallproof_mocks::behaviour::{Behaviour, Chunking, Cut, CutEnd, CutPoint, HeadFault, WirePlan};
use rstest::rstest;

fn read(yaml: &str) -> Result<WirePlan, String> {
    serde_saphyr::from_str::<Behaviour>(yaml)
        .map(|behaviour| behaviour.wire)
        .map_err(|error| error.to_string())
}

fn off_by(bytes: i32) -> Option<HeadFault> {
    bytes.try_into().ok().map(HeadFault::ContentLengthOffBy)
}

#[rstest]
#[case::nothing("{ wire: {} }", WirePlan::default())]
#[case::delays(
    "{ wire: { delay_ms: 20, chunk_delay_ms: 5 } }",
    WirePlan { delay_ms: Some(20), chunk_delay_ms: Some(5), ..WirePlan::default() }
)]
#[case::events(
    "{ wire: { write: events, cut: { at: { events: 2 }, end: reset } } }",
    WirePlan {
        write: Some(Chunking::Events),
        cut: Some(Cut { at: CutPoint::Events(2), end: CutEnd::Reset }),
        ..WirePlan::default()
    }
)]
#[case::bytes(
    "{ wire: { write: { bytes: 7 }, cut: { at: { body_bytes: 40 }, end: stall } } }",
    WirePlan {
        write: by_bytes(7),
        cut: Some(Cut { at: CutPoint::BodyBytes(40), end: CutEnd::Stall }),
        ..WirePlan::default()
    }
)]
#[case::after_head(
    "{ wire: { cut: { at: after_head, end: close } } }",
    WirePlan {
        cut: Some(Cut { at: CutPoint::AfterHead, end: CutEnd::Close }),
        ..WirePlan::default()
    }
)]
#[case::garbage(
    "{ wire: { head: garbage } }",
    WirePlan { head: Some(HeadFault::Garbage), ..WirePlan::default() }
)]
#[case::too_great(
    "{ wire: { head: { content_length_off_by: +5 } } }",
    WirePlan { head: off_by(5), ..WirePlan::default() }
)]
#[case::too_small(
    "{ wire: { head: { content_length_off_by: -5 } } }",
    WirePlan { head: off_by(-5), ..WirePlan::default() }
)]
fn faults_are_read_as_they_are_spelled(#[case] yaml: &str, #[case] plan: WirePlan) {
    assert_eq!(read(yaml), Ok(plan));
}

#[rstest]
#[case("{ wire: { write: { bytes: 0 } } }")]
#[case("{ wire: { head: { content_length_off_by: 0 } } }")]
#[case("{ wire: { cut: { at: before_head } } }")]
#[case("{ wire: { cut: { at: { events: -1 }, end: close } } }")]
#[case("{ wire: { delay: 5 } }")]
#[case("{ wire: { write: chunks } }")]
fn what_makes_no_fault_is_refused(#[case] yaml: &str) {
    let error = read(yaml).expect_err("refused");
    assert!(!error.is_empty());
}

#[test]
fn a_plan_says_what_another_one_leaves_open() {
    let one = read("{ wire: { delay_ms: 1, write: events } }").expect("a plan");
    let other = read(
        "{ wire: { delay_ms: 2, write: { bytes: 1 }, chunk_delay_ms: 3, head: garbage, \
         cut: { at: after_head, end: stall } } }",
    )
    .expect("a plan");
    let both = WirePlan { delay_ms: Some(1), write: Some(Chunking::Events), ..other.clone() };
    assert_eq!(one.or(other.clone()), both);
    assert_eq!(other.clone().or(WirePlan::default()), other);
    assert_eq!(WirePlan::default().or(other.clone()), other);
}
