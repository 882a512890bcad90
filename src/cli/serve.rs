//! `fallproof serve`: serves the strict mocks of the providers, for use in any tests.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use clap::Args;
use fallproof::serve::{Names, Ports, Scripts, Serving};
use fallproof_suite::plan::Advertised;

use super::mocks::{advertised, is_reachable};
use super::print::{eprintln, println};
use super::remote::{Remote, Server};
use super::signals::interrupted;
use super::{Stop, runtime};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fallproof serve
  fallproof serve --model gpt-4o --script script.yaml
  fallproof serve --openai 0 --azure 0 --admin 0 --json    free ports, for a test

A script file lists the behaviors of each provider, one for each request:
  openai: { script: [rate_limited, ok], repeat_last: true }")]
pub(super) struct Serve {
    /// Port of OpenAI; for this and the other ports, 0 selects a free one
    #[arg(long, value_name = "PORT", default_value_t = 9101)]
    openai: u16,
    /// Port of Azure OpenAI, for both of its surfaces
    #[arg(long, value_name = "PORT", default_value_t = 9102)]
    azure: u16,
    /// Port of the admin API, which returns the request log and sets scripts
    #[arg(long, value_name = "PORT", default_value_t = 9103)]
    admin: u16,
    /// Address to listen on
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    listen: IpAddr,
    /// Host in the printed addresses [default: the address of --listen]
    #[arg(long, value_name = "HOST", value_parser = host)]
    advertise: Option<Advertised>,
    #[command(flatten)]
    remote: Remote,
    /// Answer according to the scripts in this YAML file [default: always succeed]
    ///
    /// `fallproof list behaviors` shows what a script can name.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Accept only this model or deployment name; can be repeated [default: any]
    #[arg(long = "model", value_name = "NAME")]
    models: Vec<String>,
    /// Print the addresses as one line of JSON
    #[arg(long)]
    json: bool,
}

impl Serve {
    pub(super) fn execute(self) -> Result<(), Stop> {
        self.remote.listen(Server::Serve, self.listen)?;
        is_reachable(self.listen, self.advertise.as_ref())?;
        let scripts = match &self.script {
            Some(file) => Scripts::load(file)?,
            None => Scripts::default(),
        };
        let names = if self.models.is_empty() { Names::Any } else { Names::Listed(self.models) };
        let ports = Ports {
            host: self.listen,
            advertise: self.advertise.map(|advertised| advertised.host),
            openai: self.openai,
            azure: self.azure,
            admin: self.admin,
        };
        runtime()?.block_on(async {
            let stop = interrupted()?;
            let serving = Serving::start(ports, names, scripts).await.map_err(Stop::usage)?;
            if self.json {
                let line = serde_json::to_string(&serving.addresses)
                    .map_err(|error| Stop::Harness(error.to_string()))?;
                println!("{line}");
            } else {
                println!("{}", serving.addresses.to_text());
                eprintln!("Ctrl-C to stop");
            }
            stop.await;
            let again = interrupted()?;
            tokio::select! {
                () = serving.stop() => {}
                () = again => {}
            }
            Ok(())
        })
    }
}

/// Parses a host without a port: the servers have options for theirs.
fn host(text: &str) -> Result<Advertised, String> {
    let advertised = advertised(text)?;
    match advertised.port {
        None => Ok(advertised),
        Some(_) => Err("expected a host without a port".to_owned()),
    }
}
