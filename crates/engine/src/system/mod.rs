//! The engine about itself: `version`, `info`.

mod info;
mod version;

pub use info::{ContainerCounts, Info};
pub use version::{Component, Version};
