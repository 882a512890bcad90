//! One client call of a scenario.

use std::time::Duration;

use fallproof_suite::evidence::Exchange;
use fallproof_suite::plan::{Deployment, Group};
use fallproof_suite::scenario::{Call, Disconnect, Rendered, Scenario};
use futures_util::FutureExt;
use futures_util::future::OptionFuture;

use super::Runner;
use crate::client::{self, ClientBehavior, Notice, headers_with_key};

/// Maximum time for the target to end an attempt after a timeout or after the client has
/// disconnected. Also the maximum time for a deployment to send a reply that the client does not
/// read yet.
pub(super) const END_TIMEOUT: Duration = Duration::from_secs(3);

impl Runner {
    /// Makes this call for the group. The body contains the call's `token`. If the call continues a
    /// response, the body also contains the id of that response.
    pub(super) async fn call(
        &self,
        scenario: &Scenario,
        group: &Group,
        call: &Call,
        [token, response_id]: [&str; 2],
    ) -> Exchange {
        let gateway = self.running.client(scenario);
        let style = gateway.style(group);
        let body = call.body.rendered(&style.model, token).going_on_from(response_id);
        let Rendered { content_type, mut bytes } = body;
        let mut headers = vec![("content-type".to_owned(), content_type)];
        if let Some(coding) = call.encoding {
            headers.push(("content-encoding".to_owned(), coding.name().to_owned()));
            bytes = coding.packed([&*bytes]).concat();
        }
        headers.extend(headers_with_key(call.key, self.gateway_key(), style.headers));
        headers.extend(call.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        let behavior = self.behavior(scenario, group, call).await;
        let path = gateway.path(call.endpoint);
        client::post(&gateway.url, &path, &headers, &bytes, self.timeout, behavior, self.clock)
            .await
    }

    /// Returns the client's behavior in this call. Only requests from now on meet its conditions.
    async fn behavior(
        &self,
        scenario: &Scenario,
        group: &Group,
        call: &Call,
    ) -> ClientBehavior<'_> {
        let prefix = |deployment: &String| {
            group.deployment(deployment).map(|deployment| deployment.prefix.clone())
        };
        let (disconnect_after_events, disconnect_after_request_to) = match &call.disconnect {
            Some(Disconnect::AfterEvents(events)) => (Some(*events), None),
            Some(Disconnect::AfterRequestTo(deployment)) => (None, prefix(deployment)),
            None => (None, None),
        };
        let delay_read_until_sent_by = call.delay_read_until_sent_by.as_ref().and_then(prefix);
        let disconnect_when = disconnect_after_request_to.map(|prefix| self.requested(prefix));
        let read_when = delay_read_until_sent_by.map(|prefix| self.sent(prefix));
        ClientBehavior {
            disconnect_after_events,
            on_events: self.pacing(scenario, group),
            disconnect_when: OptionFuture::from(disconnect_when).await.map(FutureExt::boxed),
            read_when: OptionFuture::from(read_when).await.map(FutureExt::boxed),
        }
    }

    /// Returns a callback that ends the current delay of this group's paced replies. The client
    /// calls it when it receives events.
    fn pacing(&self, scenario: &Scenario, group: &Group) -> Option<Notice<'_>> {
        let is_paced = |deployment: &&Deployment| {
            let described = scenario.deployments.get(&deployment.name);
            described.is_some_and(|it| it.script.iter().any(|behavior| behavior.wire.paced))
        };
        let paced = group.deployments().filter(is_paced).map(|it| it.prefix.clone());
        let paced: Vec<_> = paced.collect();
        if paced.is_empty() {
            return None;
        }
        Some(Box::new(move || paced.iter().for_each(|prefix| self.mocks.wire.received(prefix))))
    }

    /// Counts the deployment's requests now, before the call is sent. The returned future completes
    /// when one more request has arrived.
    async fn requested(&self, prefix: String) -> impl Future<Output = ()> + Send {
        let before = self.mocks.wire.requests(&prefix).await.len();
        async move { self.mocks.wire.arrived(&prefix, before + 1).await }
    }

    /// Like [`requested`](Self::requested), but also waits until the deployment has sent as much of
    /// its reply as it can. Stops waiting after a timeout.
    async fn sent(&self, prefix: String) -> impl Future<Output = ()> + Send {
        let requested = self.requested(prefix.clone()).await;
        let sent = async move {
            requested.await;
            self.mocks.wire.requests(&prefix).await;
        };
        let limit = self.timeout.min(END_TIMEOUT);
        async move {
            let _ = tokio::time::timeout(limit, sent).await;
        }
    }
}
