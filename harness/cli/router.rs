//! `fallproof router`: the reference router alone.

use std::net::SocketAddr;
use std::path::PathBuf;

use anstream::eprintln;
use clap::Args;
use fallproof_router::Config;
use tokio::net::TcpListener;

use super::{Stop, interrupted, runtime};

#[derive(Debug, Args)]
pub(super) struct RouterArgs {
    /// Groups and deployments, as router/README.md describes them
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Where to listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4000")]
    listen: SocketAddr,
}

impl RouterArgs {
    pub(super) fn execute(self) -> Result<(), Stop> {
        let config = Config::load(&self.config).map_err(Stop::usage)?;
        runtime()?.block_on(async {
            let stop = interrupted()?;
            let listener = TcpListener::bind(self.listen).await.map_err(|error| {
                Stop::usage(format!("cannot listen on {}: {error}", self.listen))
            })?;
            let addr = listener.local_addr().map_err(Stop::usage)?;
            eprintln!("listening on http://{addr}/v1; Ctrl-C ends it");
            fallproof_router::serve(listener, config, stop)
                .await
                .map_err(|error| Stop::Harness(error.to_string()))
        })
    }
}
