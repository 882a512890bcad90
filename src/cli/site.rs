//! The site of a gateway that may not be installed on this machine.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::Path;

use fallproof_reference::REFERENCE_CLIENT_KEY;
use fallproof_runner::adapter::{Adapter, Installation, Site, Version};

use super::Stop;

/// Default address that a gateway listens on.
pub(super) const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 4000));

/// The site of an installed gateway. If the gateway is not installed, the site where its adapter
/// would install it.
pub(super) fn nominal_site(
    adapter: &Adapter,
    gateway: Option<&Path>,
    version: Option<&Version>,
) -> Result<Site, Stop> {
    let installation = match adapter.locate(gateway, version) {
        Ok(installation) => installation,
        Err(missing) if gateway.is_some() => return Err(Stop::usage(missing)),
        Err(_) => {
            let home = adapter.home(version.unwrap_or(&adapter.versions()[0]));
            let home = std::path::absolute(&home).unwrap_or(home);
            Installation { program: home.join(adapter.program()), home }
        }
    };
    Ok(Site {
        host: DEFAULT_LISTEN.ip().to_string(),
        port: DEFAULT_LISTEN.port(),
        key: REFERENCE_CLIENT_KEY.to_owned(),
        folder: std::path::absolute(".").map_err(Stop::usage)?,
        scratch: None,
        earlier_logs: 0,
        installation,
    })
}
