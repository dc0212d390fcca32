//! Containers: one file per verb, each a method of [`Engine`](crate::Engine).
//!
//! In: requests in the API's shapes, references (id, unique id prefix or name). Out: records,
//! views and streams. It puts networks, images and the runtime together; how a network is made,
//! a layer is mounted or a process is started is none of its business.

mod attach;
mod create;
mod exec;
mod inspect;
mod kill;
mod list;
mod logs;
mod pause;
mod prune;
mod remove;
mod rename;
mod resize;
mod restart;
mod start;
mod stop;
mod stream;
mod top;
mod view;
mod wait;

pub use attach::AttachOptions;
pub use create::{CreateContainer, Created};
pub use exec::{ExecStart, ExecView};
pub use list::ListContainers;
pub use logs::{LogOptions, Logs};
pub use prune::Pruned;
pub use remove::RemoveOptions;
pub use stop::StopOptions;
pub use stream::{AttachInput, Attachment, OutputStream, Progress, StreamKind};
pub use top::Top;
pub use view::{ContainerPaths, ContainerSize, ContainerView, Health, HealthResult};
pub use wait::{WaitCondition, WaitFuture, WaitOutcome};
