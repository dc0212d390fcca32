//! Events: what happened to containers, images and networks, told to whoever listens.
//!
//! In: [`Events::publish`] by the verbs. Out: [`EventStream`]s of the past (a bounded ring) and of
//! what comes, filtered. Events are for people and tools; no part of the engine acts on them.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use chrono::Utc;
use futures_util::stream::{self, Stream, StreamExt};
use tokio::sync::broadcast;

use crate::error::Result;
use crate::filters::{Filters, has_label};

/// How many events of the past are kept, as Docker does.
const PAST: usize = 256;
/// How many events a slow listener may lag behind before it loses some.
const LAG: usize = 1024;
const KNOWN_FILTERS: &[&str] = &[
    "config",
    "container",
    "daemon",
    "event",
    "image",
    "label",
    "network",
    "node",
    "plugin",
    "scope",
    "secret",
    "service",
    "type",
    "volume",
];

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `container`, `image`, `network`, `volume` or `daemon`.
    pub kind: &'static str,
    /// What happened, as `start` or `exec_create: ls`.
    pub action: String,
    /// Id of the object.
    pub id: String,
    /// What else is to be said (`name`, `image`, labels, `exitCode`, …).
    pub attributes: BTreeMap<String, String>,
    /// Nanoseconds since 1970.
    pub time: i64,
}

/// What a listener wants to hear.
#[derive(Clone, Debug, Default)]
pub struct EventQuery {
    /// Also the past from here on, in nanoseconds since 1970.
    pub since: Option<i64>,
    /// Nothing after this, in nanoseconds since 1970; the stream then ends.
    pub until: Option<i64>,
    /// Filters.
    pub filters: Filters,
}

/// Events as they happen; ends at `until` or when the engine goes.
pub type EventStream = Pin<Box<dyn Stream<Item = Event> + Send>>;

/// The place where events are published and heard.
#[derive(Debug)]
pub struct Events {
    past: Mutex<VecDeque<Event>>,
    live: broadcast::Sender<Event>,
}

impl Default for Events {
    fn default() -> Self {
        Self { past: Mutex::default(), live: broadcast::channel(LAG).0 }
    }
}

impl Events {
    /// Tells an event that happens now.
    pub fn publish(
        &self,
        kind: &'static str,
        action: impl Into<String>,
        id: impl Into<String>,
        attributes: BTreeMap<String, String>,
    ) {
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        // The clock is read under the lock so that the ring is in the order of its times.
        let time = Utc::now().timestamp_nanos_opt().unwrap_or(i64::MAX);
        let event = Event { kind, action: action.into(), id: id.into(), attributes, time };
        if past.len() == PAST {
            past.pop_front();
        }
        past.push_back(event.clone());
        // Without listeners there is nobody to tell: not an error.
        let _ = self.live.send(event);
    }

    /// How many listen.
    pub(crate) fn listeners(&self) -> usize {
        self.live.receiver_count()
    }

    /// The past since `since`, then what comes, without a gap or a repetition between.
    ///
    /// # Errors
    /// `invalid filter 'x'`.
    pub fn listen(&self, query: EventQuery) -> Result<EventStream> {
        query.filters.allow(KNOWN_FILTERS)?;
        let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let live = self.live.subscribe();
        let old: Vec<Event> = match (query.since, query.until) {
            (None, None) => Vec::new(),
            (since, _) => past.iter().filter(|e| Some(e.time) >= since).cloned().collect(),
        };
        drop(past);
        let until = query.until;
        let filters = query.filters;
        // Only what comes is cut off at `until`: the past is there at once, however late it is read.
        let coming: EventStream = match until {
            Some(until) => Box::pin(live_stream(live).take_until(sleep_until(until))),
            None => Box::pin(live_stream(live)),
        };
        let kept = stream::iter(old)
            .chain(coming)
            .take_while(move |e| std::future::ready(until.is_none_or(|until| e.time <= until)))
            .filter(move |e| std::future::ready(matches(e, &filters)));
        Ok(Box::pin(kept))
    }
}

fn live_stream(live: broadcast::Receiver<Event>) -> impl Stream<Item = Event> {
    stream::unfold(live, |mut live| async move {
        loop {
            match live.recv().await {
                Ok(event) => return Some((event, live)),
                Err(broadcast::error::RecvError::Lagged(lost)) => {
                    tracing::warn!(lost, "a listener is too slow: events were dropped");
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    })
}

async fn sleep_until(nanos: i64) {
    let now = Utc::now().timestamp_nanos_opt().unwrap_or(i64::MAX);
    let left = u64::try_from(nanos.saturating_sub(now)).unwrap_or(0);
    tokio::time::sleep(std::time::Duration::from_nanos(left)).await;
}

/// Whether an event passes all filters.
fn matches(event: &Event, filters: &Filters) -> bool {
    action_matches(event, filters)
        && filters.exact("type", event.kind)
        && filters.exact("scope", "local")
        && filters.values("label").all(|wanted| has_label(&event.attributes, wanted))
        && ["container", "network", "volume", "daemon"]
            .into_iter()
            .all(|kind| object_matches(event, filters, kind))
        && image_matches(event, filters)
        && ["plugin", "config", "node", "secret", "service"].iter().all(|k| !filters.contains(k))
}

fn action_matches(event: &Event, filters: &Filters) -> bool {
    // `exec_create: ls` is asked for as `exec_create`, `health_status: healthy` as either.
    let verb = event.action.split(':').next().unwrap_or_default();
    filters.exact("event", &event.action) || filters.exact("event", verb)
}

fn object_matches(event: &Event, filters: &Filters, kind: &str) -> bool {
    if !filters.contains(kind) {
        return true;
    }
    if event.kind != kind {
        // A network's connect event names its container.
        let other = event.attributes.get(kind);
        return other.is_some_and(|id| filters.exact(kind, id));
    }
    let name = event.attributes.get("name").map_or("", String::as_str);
    filters.prefix(kind, &event.id) || filters.exact(kind, name)
}

fn image_matches(event: &Event, filters: &Filters) -> bool {
    if !filters.contains("image") {
        return true;
    }
    let attribute = if event.kind == "image" { "name" } else { "image" };
    let name = event.attributes.get(attribute).map_or("", String::as_str);
    let untagged = name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'));
    filters.exact("image", &event.id)
        || filters.exact("image", name)
        || untagged.is_some_and(|(base, _)| filters.exact("image", base))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    async fn heard(events: &Events, filters: Filters) -> Vec<String> {
        let until = Some(Utc::now().timestamp_nanos_opt().unwrap());
        let query = EventQuery { since: Some(0), until, filters };
        events.listen(query).unwrap().map(|e| e.action).collect().await
    }

    #[tokio::test]
    async fn the_past_and_the_future_join_without_gap() {
        let events = Events::default();
        events.publish("container", "create", "1", attributes(&[]));
        let query = EventQuery { since: Some(0), ..EventQuery::default() };
        let mut stream = events.listen(query).unwrap();
        events.publish("container", "start", "1", attributes(&[]));
        assert_eq!(stream.next().await.unwrap().action, "create");
        assert_eq!(stream.next().await.unwrap().action, "start");
    }

    #[tokio::test]
    async fn without_since_only_the_future_is_heard() {
        let events = Events::default();
        events.publish("container", "create", "1", attributes(&[]));
        let mut stream = events.listen(EventQuery::default()).unwrap();
        events.publish("container", "start", "1", attributes(&[]));
        assert_eq!(stream.next().await.unwrap().action, "start");
    }

    #[tokio::test]
    async fn filters_select() {
        let events = Events::default();
        let a = attributes(&[("name", "web"), ("image", "busybox:latest"), ("tier", "front")]);
        events.publish("container", "exec_create: ls", "abc", a);
        events.publish("network", "connect", "net", attributes(&[("container", "abc")]));
        let by = |k: &str, v: &str| Filters::default().with(k, v);
        let exec = vec!["exec_create: ls".to_owned()];
        assert_eq!(heard(&events, by("event", "exec_create")).await, exec);
        assert_eq!(heard(&events, by("image", "busybox")).await, exec);
        assert_eq!(heard(&events, by("label", "tier=front")).await, exec);
        assert_eq!(heard(&events, by("container", "web")).await, exec);
        assert_eq!(heard(&events, by("container", "abc")).await.len(), 2);
        assert_eq!(heard(&events, by("type", "network")).await, ["connect"]);
        assert!(heard(&events, by("event", "die")).await.is_empty());
        assert!(
            events.listen(EventQuery { filters: by("x", "y"), ..EventQuery::default() }).is_err()
        );
    }

    #[tokio::test]
    async fn the_ring_is_bounded() {
        let events = Events::default();
        for i in 0..PAST + 10 {
            events.publish("container", i.to_string(), "1", attributes(&[]));
        }
        let all = heard(&events, Filters::default()).await;
        assert_eq!((all.len(), all[0].as_str()), (PAST, "10"));
    }
}
