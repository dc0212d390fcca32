//! The engine about itself: `version`, `info`, `events`, what it counts.

mod events;
mod info;
mod metrics;
mod version;

pub use info::{ContainerCounts, Info};
pub use metrics::{Metrics, Tally, UpstreamTally};
pub(crate) use version::go_arch;
pub use version::{API_VERSION, Component, MIN_API_VERSION, Version};
