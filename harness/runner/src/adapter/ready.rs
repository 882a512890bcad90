//! Whether a gateway is ready.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::file::Ready;

/// How long one try to see whether it is ready may take.
const TRY: Duration = Duration::from_secs(5);

impl Ready {
    /// How long it may take to be ready for so many groups.
    pub(super) fn limit(&self, groups: usize) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "no plan has that many groups")]
        let seconds = self.seconds + self.seconds_per_group * groups as f64;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    /// Whether it is ready for a client with this key; else what was seen instead.
    pub(super) async fn seen(
        &self,
        listen: &str,
        key: &str,
        contains: Option<&str>,
    ) -> Result<(), String> {
        let Some(path) = &self.path.0 else {
            return match timeout(TRY, TcpStream::connect(listen)).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(format!("connecting to {listen}: {error}")),
                Err(_) => Err(format!("connecting to {listen} takes too long")),
            };
        };
        let ask = async {
            let client = reqwest::Client::builder().no_proxy().timeout(TRY).build()?;
            let answer =
                client.get(format!("http://{listen}{path}")).bearer_auth(key).send().await?;
            Ok::<_, reqwest::Error>((answer.status(), answer.text().await?))
        };
        match ask.await {
            Ok((status, _)) if !status.is_success() => Err(format!("GET {path} answers {status}")),
            Ok((_, text)) => match contains {
                Some(words) if !text.contains(words) => {
                    Err(format!("GET {path} answers without `{words}`"))
                }
                _ => Ok(()),
            },
            Err(error) if error.is_timeout() => Err(format!("GET {path} takes too long")),
            Err(error) if error.is_connect() => Err(format!("nothing listens on {listen}")),
            Err(error) => Err(format!("GET {path}: {error}")),
        }
    }
}
