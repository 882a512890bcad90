//! `fallproof router`: serves the reference router with a configuration, or a saboteur.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::Request;
use clap::Args;
use fallproof_reference::{REFERENCE_CLIENT_KEY, Reference};
use fallproof_router::Config;
use fallproof_suite::plan::{Addresses, Plan};
use parking_lot::RwLock;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tower::ServiceExt as _;

use super::mocks::is_reachable;
use super::print::{eprintln, println};
use super::remote::{Remote, Server};
use super::signals::{interrupted, terminated};
use super::site::DEFAULT_LISTEN;
use super::{DEFAULT_MOCKS, Selected, Selection, Stop, runtime, saboteur};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fallproof router --config router.yaml
  fallproof router --saboteur invented-metadata responses-compact")]
pub(super) struct RouterArgs {
    /// Serve the groups and deployments in this configuration file
    ///
    /// router/README.md describes the file. On Unix, SIGHUP makes the router read it again.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "saboteur",
        conflicts_with_all = [
            "saboteur", "patterns", "tags", "skipped_tags", "quick", "scenarios", "mocks"
        ]
    )]
    config: Option<PathBuf>,
    /// Serve this saboteur, configured for the selected scenarios
    ///
    /// `fallproof list saboteurs` shows the names.
    #[arg(long, value_name = "NAME")]
    saboteur: Option<String>,
    #[command(flatten)]
    selection: Selection,
    /// The address to listen on
    #[arg(long, value_name = "ADDR", default_value_t = DEFAULT_LISTEN)]
    listen: SocketAddr,
    /// With --saboteur: the address of the mock providers, the same as for `run --listen`
    #[arg(long, value_name = "ADDR", default_value_t = DEFAULT_MOCKS)]
    mocks: SocketAddr,
    #[command(flatten)]
    remote: Remote,
}

impl RouterArgs {
    pub(super) fn execute(self) -> Result<(), Stop> {
        self.remote.listen(Server::Router, self.listen.ip())?;
        match (&self.saboteur, &self.config) {
            (Some(saboteur), _) => self.sabotaged(saboteur),
            (None, Some(config)) => self.configured(config),
            (None, None) => Err(Stop::usage("a router needs --config FILE or --saboteur NAME")),
        }
    }

    fn configured(&self, file: &Path) -> Result<(), Stop> {
        let config = Config::load(file).map_err(Stop::usage)?;
        runtime()?.block_on(async {
            // SIGHUP reloads the configuration.
            let stop = terminated()?;
            let listener =
                TcpListener::bind(self.listen).await.map_err(|error| self.not_listening(&error))?;
            let addr = listener.local_addr().map_err(Stop::usage)?;
            let current = Arc::new(RwLock::new(fallproof_router::app(config)));
            reload_on_hangup(file.to_owned(), Arc::clone(&current))?;
            let app = axum::Router::new().fallback(move |request: Request| {
                let app = current.read().clone();
                app.oneshot(request)
            });
            eprintln!("listening on http://{addr}/v1 (Ctrl-C to stop)");
            let (told, stopping) = oneshot::channel();
            let serving = axum::serve(listener, app).with_graceful_shutdown(async {
                stop.await;
                let _ = told.send(());
            });
            tokio::select! {
                served = serving => served.map_err(|error| Stop::Harness(error.to_string())),
                // It waits for open connections, unless it is told twice.
                () = told_again(stopping) => Ok(()),
            }
        })
    }

    fn sabotaged(&self, name: &str) -> Result<(), Stop> {
        let saboteur = saboteur::find(name)?;
        is_reachable(self.mocks.ip(), None)?;
        let Selected { scenarios, .. } = self.selection.choose()?;
        let plan = Plan::new(&scenarios, &Addresses::stable(self.mocks));
        runtime()?.block_on(async {
            let stop = interrupted()?;
            let serving = Reference::serve(&plan, saboteur, self.listen);
            let serving = serving.await.map_err(|error| self.not_listening(&error))?;
            let url = serving.url("").map_err(Stop::harness)?.authority;
            println!("{}: {}", saboteur.name, saboteur.breaks);
            println!("listening on http://{url}/v1 (Ctrl-C to stop)");
            println!("to see it fail, run in another terminal:");
            let is_here = self.mocks.ip().to_canonical().is_loopback() && !self.remote.allow_remote;
            let remote = if is_here { "" } else { " --allow-remote" };
            println!(
                "  fallproof run{} --target http://{url}/v1 --listen {} --key {REFERENCE_CLIENT_KEY}{remote}",
                self.selection.again(),
                self.mocks
            );
            stop.await;
            Ok(())
        })
    }

    fn not_listening(&self, error: &std::io::Error) -> Stop {
        Stop::usage(format!("cannot listen on {}: {error}", self.listen))
    }
}

/// Completes at the next signal after the first one, which `stopping` announces.
async fn told_again(stopping: oneshot::Receiver<()>) {
    match (stopping.await, terminated()) {
        (Ok(()), Ok(again)) => again.await,
        _ => std::future::pending().await,
    }
}

/// Reads the configuration again at each SIGHUP. If the new one is invalid, reports the error and
/// keeps the old one.
#[cfg(unix)]
fn reload_on_hangup(file: PathBuf, current: Arc<RwLock<axum::Router>>) -> Result<(), Stop> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())
        .map_err(|error| Stop::Harness(format!("cannot listen for signals: {error}")))?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            match Config::load(&file) {
                Ok(config) => *current.write() = fallproof_router::app(config),
                Err(error) => eprintln!("keeping the old configuration: {error}"),
            }
        }
    });
    Ok(())
}

/// Does nothing: only Unix has SIGHUP.
#[cfg(not(unix))]
fn reload_on_hangup(_: PathBuf, _: Arc<RwLock<axum::Router>>) -> Result<(), Stop> {
    Ok(())
}
