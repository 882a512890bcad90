//! `fallproof doctor`: checks that a gateway reaches the mock deployments.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use clap::Args;
use fallproof_protocol::provider::Endpoint;
use fallproof_report::model::Target;
use fallproof_report::phrases::{self, counted};
use fallproof_runner::interrupt::{Interrupt, unless};
use fallproof_runner::{Batch, Runner};
use fallproof_suite::evidence::Inconclusive;
use fallproof_suite::scenario::Scenario;
use owo_colors::OwoColorize as _;

use super::gateway::Gateway;
use super::print::{eprintln, print};
use super::{Selected, Selection, Stop, interrupt, runtime};

/// Timeout of each call.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Statuses of gateways that do not serve an endpoint.
const NOT_SERVED: [u16; 3] = [404, 405, 501];

#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    gateway: Gateway,
}

impl Doctor {
    pub(super) fn execute(&self) -> Result<(), Stop> {
        let Selected { scenarios, .. } = self.selection.choose()?;
        let Some(plan) = self.gateway.plan(&scenarios)? else {
            return Err(Stop::usage(
                "doctor needs a gateway: --target URL, or --adapter NAME --launch",
            ));
        };
        let runtime = runtime()?;
        let interrupt = interrupt::listen(&runtime)?;
        let mut problems = Problems::default();
        for batch in &plan.batches {
            runtime.block_on(problems.find(batch, &interrupt))?;
        }
        let unreachable = problems.scenarios();
        print!("{problems}");
        let reachable =
            plan.batches.iter().map(|batch| batch.scenarios.len()).sum::<usize>() - unreachable;
        let left_out = plan.left_out.len();
        let target = Target::from(runtime.block_on(plan.identity()));
        eprintln!(
            "{target}: {reachable} scenarios reachable, {unreachable} unreachable, {left_out} not applicable"
        );
        if unreachable == 0 {
            return Ok(());
        }
        eprintln!("next: `fallproof probe` drafts what the gateway does not support");
        Err(Stop::NotConformant)
    }
}

/// The scenarios whose mock deployments the gateway does not reach, by endpoint and answer.
#[derive(Default)]
struct Problems(BTreeMap<(Endpoint, Answer), Group>);

/// How the gateway answered a plain call that did not reach a mock deployment as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    /// With this status.
    Status(u16),
    /// Not at all.
    Gone,
    /// In another way: the attempt was wrong.
    Other,
}

/// Scenarios with the same endpoint and the same answer.
struct Group {
    scenarios: usize,
    /// Id of the first scenario.
    example: String,
    /// What is wrong with it.
    why: Inconclusive,
}

impl Problems {
    /// Calls the groups of each scenario of a batch.
    async fn find(&mut self, batch: &Batch<'_>, interrupt: &Interrupt) -> Result<(), Stop> {
        let runner = Runner::start(&batch.scenarios, &*batch.target, TIMEOUT);
        let runner = unless(&interrupt.stop, runner).await.ok_or(Stop::Interrupted)??;
        let diagnoses = async {
            for scenario in &batch.scenarios {
                if let Some(why) = runner.diagnose(scenario).await {
                    self.add(scenario, why);
                }
            }
        };
        let ended = unless(&interrupt.stop, diagnoses).await;
        runner.stop(interrupt).await;
        ended.ok_or(Stop::Interrupted)
    }

    fn add(&mut self, scenario: &Scenario, why: Inconclusive) {
        let Some(call) = scenario.calls().next() else { return };
        let answer = match why.answered() {
            Some(status) => Answer::Status(status),
            None if why.is_gone() => Answer::Gone,
            None => Answer::Other,
        };
        let new = || Group { scenarios: 0, example: scenario.id.clone(), why };
        self.0.entry((call.send.endpoint, answer)).or_insert_with(new).scenarios += 1;
    }

    fn scenarios(&self) -> usize {
        self.0.values().map(|group| group.scenarios).sum()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((endpoint, answer), Group { scenarios, example, why }) in &self.0 {
            let endpoint = endpoint.path();
            let scenarios = counted(*scenarios, "scenario");
            let answer = match answer {
                Answer::Status(status) => format!("{status} in {scenarios}"),
                Answer::Gone => format!("no answer in {scenarios}"),
                Answer::Other => scenarios,
            };
            writeln!(formatter, "{} {endpoint}: {answer}", "unreachable".red().bold())?;
            writeln!(formatter, "  {example}: {}", phrases::line(&why.to_string()))?;
            if why.answered().is_some_and(|status| NOT_SERVED.contains(&status)) {
                writeln!(
                    formatter,
                    "  if the gateway does not serve the endpoint, declare `unsupported: {endpoint}`"
                )?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_answers_at_an_endpoint_are_one_problem() {
        let scenarios = fallproof::probe::questions().expect("the probe's scenarios are valid");
        let at = |endpoint: Endpoint| {
            scenarios.iter().filter(move |it| {
                it.calls().next().is_some_and(|call| call.send.endpoint == endpoint)
            })
        };
        let not_wired = |status: Option<u16>| Inconclusive::NotWired {
            complaint: "a plain call reached no deployment".to_owned(),
            status,
            message: None,
            is_gone: status.is_none(),
        };
        let mut problems = Problems::default();
        at(Endpoint::Completions).for_each(|it| problems.add(it, not_wired(Some(404))));
        let number = problems.scenarios();
        assert!(number > 1);
        problems.add(at(Endpoint::ChatCompletions).next().expect("one"), not_wired(None));
        let text = problems.to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 5, "{text}");
        assert!(lines[0].ends_with(" chat/completions: no answer in 1 scenario"), "{text}");
        let second = format!(" completions: 404 in {number} scenarios");
        assert!(lines[2].ends_with(&second), "{text}");
        assert!(lines[3].ends_with(": a plain call reached no deployment"), "{text}");
        assert!(lines[4].ends_with("declare `unsupported: completions`"), "{text}");
    }
}
