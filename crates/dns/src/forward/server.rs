//! One upstream of one sandbox: how it is asked, and what is known of it.
//!
//! In: questions. Out: what came of them; on the way the numbers and the health of the upstream.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout};

use super::exchange::{Said, ask};
use super::health::Health;
use super::pool::Pool;
use super::race::{Came, Runner};
use super::{Transport, lock};
use crate::Upstream;
use crate::counts::UpstreamCounts;
use crate::explanation::Candidate;
use crate::message::{Code, Query, code};

/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// An upstream.
pub(crate) struct Server {
    pub upstream: Upstream,
    pub pool: Pool,
    health: Mutex<Health>,
    counts: Arc<UpstreamCounts>,
}

/// What is asked.
pub(crate) struct Question {
    pub query: Query,
    pub packet: Vec<u8>,
    pub transport: Transport,
}

impl Server {
    pub(crate) fn new(upstream: Upstream, counts: Arc<UpstreamCounts>) -> Self {
        Self { upstream, pool: Pool::default(), health: Mutex::default(), counts }
    }

    /// As it is known at this time.
    pub(crate) fn candidate(&self, now: std::time::Instant) -> Candidate {
        let health = lock(&self.health);
        Candidate {
            address: self.upstream.address,
            from_sandbox: self.upstream.from.is_some(),
            healthy: health.is_well(now),
            latency: health.latency(),
        }
    }

    /// This one, about to be asked.
    pub(crate) fn with(self: Arc<Self>, question: Arc<Question>) -> Asked {
        Asked { server: self, question }
    }

    async fn ask(&self, question: &Question) -> Came {
        self.counts.asked.add();
        let begun = Instant::now();
        let (query, packet) = (&question.query, question.packet.as_slice());
        let asked = ask(&self.upstream, &self.pool, packet, query, question.transport);
        let came = match timeout(PATIENCE, asked).await {
            Ok(Ok(Said::Good(answer))) => Came::Good(answer),
            Ok(Ok(Said::Failure(answer))) => Came::Failure(answer),
            Ok(Err(error)) => Came::Error(error.to_string()),
            Err(_) => Came::Silence,
        };
        self.note(&came, begun.elapsed());
        came
    }

    fn note(&self, came: &Came, took: Duration) {
        let mut health = lock(&self.health);
        let count = match came {
            Came::Good(_) => {
                health.answered(took);
                &self.counts.answered
            }
            Came::Failure(answer) => {
                health.spoke();
                match code(answer) {
                    code if code == Code::ServFail as u16 => &self.counts.servfail,
                    code if code == Code::Refused as u16 => &self.counts.refused,
                    _ => &self.counts.errors,
                }
            }
            Came::Silence | Came::Error(_) => {
                health.silent(Instant::now().into_std());
                match came {
                    Came::Silence => &self.counts.timeouts,
                    _ => &self.counts.errors,
                }
            }
        };
        count.add();
        tracing::debug!(upstream = %self.upstream.address, ?took, ?came, "asked");
    }
}

/// An upstream and what it is to be asked.
pub(crate) struct Asked {
    server: Arc<Server>,
    question: Arc<Question>,
}

impl Runner for Asked {
    fn address(&self) -> SocketAddr {
        self.server.upstream.address
    }

    fn delay(&self) -> Duration {
        lock(&self.server.health).delay()
    }

    fn ask(&self) -> BoxFuture<'static, Came> {
        let (server, question) = (Arc::clone(&self.server), Arc::clone(&self.question));
        async move { server.ask(&question).await }.boxed()
    }
}
