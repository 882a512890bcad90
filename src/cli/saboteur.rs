//! `fallproof saboteur`: a router broken on purpose, for demonstrations and for trying a check by
//! hand.

use std::net::SocketAddr;

use anstream::println;
use clap::Args;
use fallproof_reference::saboteur::{self, Saboteur};
use fallproof_reference::{REFERENCE_CLIENT_KEY, Reference};
use fallproof_suite::plan::{Addresses, Plan};

use super::{Selected, Selection, Stop, interrupted, runtime};

#[derive(Debug, Args)]
pub(super) struct SaboteurArgs {
    /// Its name (`fallproof saboteurs` lists them)
    name: String,
    #[command(flatten)]
    selection: Selection,
    /// Where to listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4000")]
    listen: SocketAddr,
    /// Where the mock providers will listen, as `run --mocks` has it
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9100")]
    mocks: SocketAddr,
}

impl SaboteurArgs {
    pub(super) fn execute(self) -> Result<(), Stop> {
        let saboteur = find(&self.name)?;
        let Selected { scenarios, .. } = self.selection.choose()?;
        let plan = Plan::new(&scenarios, Addresses::stable(self.mocks));
        runtime()?.block_on(async {
            let stop = interrupted()?;
            let serving = Reference::serve(&plan, saboteur, self.listen);
            let serving = serving.await.map_err(|error| {
                Stop::usage(format!("cannot listen on {}: {error}", self.listen))
            })?;
            let url = &serving.url("").authority;
            println!("{} at http://{url}/v1 {}; Ctrl-C ends it", saboteur.name, saboteur.breaks);
            println!("see it caught, in another terminal:");
            println!(
                "  fallproof run{} --target http://{url}/v1 --mocks {} --key {REFERENCE_CLIENT_KEY}",
                self.selection.again(),
                self.mocks
            );
            stop.await;
            Ok(())
        })
    }
}

pub(super) fn find(name: &str) -> Result<&'static Saboteur, Stop> {
    saboteur::find(name).ok_or_else(|| {
        Stop::usage(format!("there is no saboteur `{name}`; `fallproof saboteurs` lists them"))
    })
}
