//! `fallproof serve`: the strict providers for anybody's tests.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use anstream::{eprintln, println};
use clap::Args;
use fallproof::serve::{Names, Ports, Scripts, Serving};

use super::{Stop, interrupted, runtime};

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// OpenAI's port; 0 lets the system choose, as for the others
    #[arg(long, value_name = "PORT", default_value_t = 9101)]
    openai: u16,
    /// Azure OpenAI's port, for both of its surfaces
    #[arg(long, value_name = "PORT", default_value_t = 9102)]
    azure: u16,
    /// The port where the request log is read and scripts are set
    #[arg(long, value_name = "PORT", default_value_t = 9103)]
    admin: u16,
    /// The address to listen on
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// What the providers do, as YAML: `openai: { script: [rate_limited, ok], repeat_last: true }`;
    /// they answer every call by default
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// A model or deployment that is there (may be given again); every name is taken by default
    #[arg(long = "model", value_name = "NAME")]
    models: Vec<String>,
    /// Print the addresses as one line of JSON
    #[arg(long)]
    json: bool,
}

impl Serve {
    pub(super) fn execute(self) -> Result<(), Stop> {
        let scripts = match &self.script {
            Some(file) => Scripts::load(file)?,
            None => Scripts::default(),
        };
        let names = if self.models.is_empty() { Names::Any } else { Names::Listed(self.models) };
        let ports =
            Ports { host: self.host, openai: self.openai, azure: self.azure, admin: self.admin };
        runtime()?.block_on(async {
            let stop = interrupted()?;
            let serving = Serving::start(ports, names, scripts).await.map_err(Stop::usage)?;
            if self.json {
                let line = serde_json::to_string(&serving.addresses)
                    .map_err(|error| Stop::Harness(error.to_string()))?;
                println!("{line}");
            } else {
                println!("{}", serving.addresses.to_text());
                eprintln!("Ctrl-C ends it");
            }
            serving.run(stop).await.map_err(|error| Stop::Harness(error.to_string()))
        })
    }
}
