//! The engine: one method per verb on networks, containers and images; see `ARCHITECTURE.md`.
//!
//! In: typed requests ([`spec`]). Out: records, views and streams, or an [`Error`]. It is the one
//! place that puts the adapters together; it knows no HTTP and prints no JSON of its own making.

pub mod container;
mod engine;
pub mod error;
pub mod events;
pub mod exec;
pub mod filters;
pub mod image;
pub mod network;
mod purge;
pub mod record;
pub mod settings;
pub mod spec;
pub mod system;
pub mod volume;

pub use engine::Engine;
pub use error::{Error, Kind, Result};
pub use purge::purge;
pub use settings::Settings;
