//! Containers: one file per verb, each a method of [`Engine`](crate::Engine).
//!
//! In: requests in the API's shapes, references (id, unique id prefix or name). Out: records,
//! views and streams. It puts networks, images and the runtime together; how a network is made,
//! a layer is mounted or a process is started is none of its business.

mod attach;
mod bundle;
mod copy_up;
mod create;
pub(crate) mod detach;
pub(crate) mod events;
mod health;
mod inspect;
mod kill;
mod list;
mod logs;
mod name;
mod needed;
mod paths;
mod pause;
mod port_filter;
mod prune;
mod recover;
mod registry;
mod remove;
mod rename;
mod resize;
mod restart;
mod restart_policy;
mod runtime_config;
mod security;
mod signal;
mod start;
mod stats;
mod stop;
mod stream;
mod supervise;
mod task;
#[cfg(test)]
pub(crate) mod testing;
mod top;
mod view;
mod wait;

pub use attach::AttachOptions;
pub(crate) use create::host_name;
pub use create::{CreateContainer, Created};
pub use hawser_runtime::BlockUsage;
pub use list::ListContainers;
pub use logs::{LogOptions, Logs};
pub(crate) use pause::not_running;
pub use prune::Pruned;
pub(crate) use prune::until;
pub(crate) use recover::recover;
pub use registry::Containers;
pub(crate) use registry::Entry;
pub use remove::RemoveOptions;
pub(crate) use runtime_config::runtime_config;
pub use stats::{Sample, Stats, StatsOptions};
pub use stop::StopOptions;
pub(crate) use stream::Wants;
pub use stream::{AttachInput, Attachment, OutputStream, Progress, StreamKind};
pub(crate) use task::to_the_end;
pub use top::Top;
pub use view::{ContainerPaths, ContainerSize, ContainerView, Health, HealthResult};
pub use wait::{WaitCondition, WaitFuture, WaitOutcome};
