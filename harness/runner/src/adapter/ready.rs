//! Readiness checks.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::file::Ready;
use super::http_client::{NoAnswer, http_client, read};

/// Timeout of one readiness check.
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);

impl Ready {
    /// How long to wait until a gateway with this number of groups is ready.
    pub(super) fn limit(&self, groups: usize) -> Duration {
        let each = self.seconds_per_group.0.as_ref().map_or(0.0, |each| each.value);
        #[expect(clippy::cast_precision_loss, reason = "no plan has that many groups")]
        let seconds = self.seconds.value + each * groups as f64;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    /// Checks once whether the gateway is ready for a client with this API key. The error is the
    /// reason why it is not ready.
    pub(super) async fn check(
        &self,
        listen: &str,
        key: &str,
        contains: Option<&str>,
    ) -> Result<(), String> {
        let Some(path) = &self.path.0 else {
            return match timeout(CHECK_TIMEOUT, TcpStream::connect(listen)).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(format!("connecting to {listen}: {error}")),
                Err(_) => Err(format!("connecting to {listen} timed out")),
            };
        };
        let request = async {
            let client = http_client(CHECK_TIMEOUT)?;
            let answer =
                client.get(format!("http://{listen}{path}")).bearer_auth(key).send().await?;
            read(answer).await
        };
        match request.await {
            Ok((status, _)) if !status.is_success() => Err(format!("GET {path} returned {status}")),
            Ok((_, text)) => match contains {
                Some(expected) if !text.contains(expected) => {
                    Err(format!("the response to GET {path} does not contain `{expected}`"))
                }
                _ => Ok(()),
            },
            Err(NoAnswer::Failed(error)) if error.is_timeout() => {
                Err(format!("GET {path} timed out"))
            }
            Err(NoAnswer::Failed(error)) if error.is_connect() => {
                Err(format!("nothing listens on {listen}"))
            }
            Err(error) => Err(format!("GET {path}: {error}")),
        }
    }
}
