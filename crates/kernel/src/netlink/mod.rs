//! Netlink in the little that this crate needs: build messages, send batches, read answers.
//!
//! In: [`Message`]s. Out: [`Refusal`]s of a batch, or the payloads of a dump. It knows the frame
//! (header, attributes, acknowledgements), not what families put in it.

mod attribute;
mod message;
pub(crate) mod number;
mod socket;

pub(crate) use attribute::{attributes, text};
pub(crate) use message::Message;
pub(crate) use socket::{Refusal, Socket};
