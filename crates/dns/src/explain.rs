//! A question asked for people: as a packet of the sandbox, on the same way, with the reasons noted.
//!
//! In: a sandbox, a name and a type. Out: an [`Explanation`]. It counts as a question, and its answer
//! is kept like that of any other.

use crate::explanation::{Explanation, Forwarding, Reason, Unexplained};
use crate::forward::Transport;
use crate::message::{answers, code, question};
use crate::sandbox::{Outcome, Sandbox};

/// Asks as a container would: over UDP, without EDNS.
pub(crate) async fn explain(
    sandbox: &Sandbox,
    name: &str,
    kind: u16,
) -> Result<Explanation, Unexplained> {
    let packet = question(rand::random(), name, kind).ok_or(Unexplained::NotAName)?;
    let mut reason = None;
    let (reply, reason) = match sandbox.look_up(&packet, Transport::Udp, Some(&mut reason)) {
        Outcome::Silence => return Err(Unexplained::NotAName),
        Outcome::Reply(reply) => (reply, reason.ok_or(Unexplained::NotAName)?),
        Outcome::Forward(pending) => {
            let mut forwarding = Forwarding::default();
            let reply = sandbox.ask(*pending, Some(&mut forwarding)).await;
            (reply, Reason::Forwarded(forwarding))
        }
    };
    let (name, code, answers) = (name.to_owned(), code(&reply), answers(&reply));
    Ok(Explanation { name, kind, code, answers, reason })
}
