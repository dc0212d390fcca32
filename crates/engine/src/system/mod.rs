//! The engine about itself: `version`, `info`, `events`.

mod events;
mod info;
mod version;

pub use info::{ContainerCounts, Info};
pub(crate) use version::go_arch;
pub use version::{API_VERSION, Component, MIN_API_VERSION, Version};
