//! `fallproof router`: the reference router alone.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anstream::eprintln;
use axum::extract::Request;
use clap::Args;
use fallproof_router::Config;
use parking_lot::RwLock;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

use super::{Stop, interrupted, runtime};

#[derive(Debug, Args)]
pub(super) struct RouterArgs {
    /// Groups and deployments, as router/README.md describes them; read again at a SIGHUP
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
            let current = Arc::new(RwLock::new(fallproof_router::app(config)));
            reread_when_told(self.config, Arc::clone(&current))?;
            let app = axum::Router::new().fallback(move |request: Request| {
                let app = current.read().clone();
                app.oneshot(request)
            });
            eprintln!("listening on http://{addr}/v1; Ctrl-C ends it");
            axum::serve(listener, app)
                .with_graceful_shutdown(stop)
                .await
                .map_err(|error| Stop::Harness(error.to_string()))
        })
    }
}

/// Reads the configuration again at each SIGHUP; a wrong one is told and the old one stays.
#[cfg(unix)]
fn reread_when_told(file: PathBuf, current: Arc<RwLock<axum::Router>>) -> Result<(), Stop> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut told = signal(SignalKind::hangup())
        .map_err(|error| Stop::Harness(format!("no signals: {error}")))?;
    tokio::spawn(async move {
        while told.recv().await.is_some() {
            match Config::load(&file) {
                Ok(config) => *current.write() = fallproof_router::app(config),
                Err(error) => eprintln!("the old configuration stays: {error}"),
            }
        }
    });
    Ok(())
}

/// Only Unix has the signal.
#[cfg(not(unix))]
fn reread_when_told(_: PathBuf, _: Arc<RwLock<axum::Router>>) -> Result<(), Stop> {
    Ok(())
}
