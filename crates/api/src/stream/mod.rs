//! Answers that go on: output of containers, JSON lines, and connections taken over by both sides.
//!
//! In: streams of the engine. Out: response bodies or upgraded connections. What flows is the
//! engine's; here it only gets its frame.

mod frame;
mod hangup;
mod hijack;
mod lines;
mod output;
mod upload;

pub use hijack::Hijack;
pub use lines::{Lines, once};
pub use output::{body, media_type};
pub use upload::{reader, writer};

#[cfg(test)]
mod tests;
