//! One client call of a scenario.

use std::time::Duration;

use fallproof_suite::evidence::Exchange;
use fallproof_suite::plan::Group;
use fallproof_suite::scenario::{Call, Leave, Rendered, Scenario};
use futures_util::FutureExt;
use futures_util::future::OptionFuture;

use super::Runner;
use crate::client::{self, ClientBehavior, headers_showing};

/// How long the end of what was given up, left, or will not be read is waited for.
pub(super) const LEAVING: Duration = Duration::from_secs(3);

impl Runner {
    /// Makes this call for the group. In its body stand the call's own `word` and, where it goes on
    /// from a response, the id of that.
    pub(super) async fn call(
        &self,
        scenario: &Scenario,
        group: &Group,
        call: &Call,
        [word, response_id]: [&str; 2],
    ) -> Exchange {
        let gateway = self.running.client(scenario);
        let style = gateway.style(group);
        let body = call.body.rendered(&style.model, word).going_on_from(response_id);
        let Rendered { content_type, bytes } = body;
        let mut headers = vec![("content-type".to_owned(), content_type)];
        headers.extend(headers_showing(call.key, self.gateway_key(), style.headers));
        headers.extend(call.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        let behavior = self.behavior(group, call).await;
        let path = gateway.path(call.endpoint);
        client::post(&gateway.url, &path, &headers, &bytes, self.timeout, behavior, self.clock)
            .await
    }

    /// How the client behaves in this call. What it waits for counts from now.
    async fn behavior(&self, group: &Group, call: &Call) -> ClientBehavior<'_> {
        let prefix = |upstream: &String| group.hop(upstream).map(|hop| hop.prefix.clone());
        let (leave_after_events, leave_once_asked) = match &call.leave {
            Some(Leave::AfterEvents(events)) => (Some(*events), None),
            Some(Leave::OnceAsked(upstream)) => (None, prefix(upstream)),
            None => (None, None),
        };
        let read_once_sent = call.read_once_sent.as_ref().and_then(prefix);
        let leave_when = leave_once_asked.map(|prefix| self.asked(prefix));
        let read_when = read_once_sent.map(|prefix| self.sent(prefix));
        ClientBehavior {
            leave_after_events,
            leave_when: OptionFuture::from(leave_when).await.map(FutureExt::boxed),
            read_when: OptionFuture::from(read_when).await.map(FutureExt::boxed),
        }
    }

    /// Counts the deployment's attempts now, before the call is sent: what is given is done when
    /// there is one more.
    async fn asked(&self, prefix: String) -> impl Future<Output = ()> + Send {
        let before = self.mocks.wire.hits(&prefix).await.len();
        async move { self.mocks.wire.arrived(&prefix, before + 1).await }
    }

    /// Counts likewise: what is given is done when there is one more, and the deployment has sent
    /// what it can; or when that takes too long.
    async fn sent(&self, prefix: String) -> impl Future<Output = ()> + Send {
        let asked = self.asked(prefix.clone()).await;
        let sent = async move {
            asked.await;
            self.mocks.wire.hits(&prefix).await;
        };
        let limit = self.timeout.min(LEAVING);
        async move {
            let _ = tokio::time::timeout(limit, sent).await;
        }
    }
}
