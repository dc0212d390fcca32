//! The engine: one method per verb on networks, containers and images; see `ARCHITECTURE.md`.
//!
//! In: typed requests ([`spec`]). Out: records, views and streams, or an [`Error`]. It is the one
//! place that puts the adapters together; it knows no HTTP and prints no JSON of its own making.

pub mod container;
pub mod error;
pub mod events;
pub mod filters;
pub mod image;
pub mod record;
pub mod settings;
pub mod spec;
pub mod system;

pub use error::{Error, Kind, Result};
pub use settings::Settings;
