//! `create`.

use std::sync::Arc;

use crate::error::Result;
use crate::record::ContainerId;
use crate::spec::{ContainerConfig, HostConfig, NetworkingConfig};
use crate::Engine;

/// What to make.
#[derive(Clone, Debug, Default)]
pub struct CreateContainer {
    /// Its name; a random one if none.
    pub name: Option<String>,
    /// `os[/arch[/variant]]` that the image must have.
    pub platform: Option<String>,
    /// The portable part.
    pub config: ContainerConfig,
    /// The host part.
    pub host_config: HostConfig,
    /// Networks.
    pub networking: NetworkingConfig,
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// Its id.
    pub id: ContainerId,
    /// What the user should know.
    pub warnings: Vec<String>,
}

impl Engine {
    /// Makes a container, without starting it.
    ///
    /// # Errors
    /// Invalid if a setting makes no sense, Conflict if the name is in use, NotFound without image.
    pub async fn container_create(self: &Arc<Self>, request: CreateContainer) -> Result<Created> {
        let _ = request;
        todo!()
    }
}
