//! What clients ask for and what `inspect` gives back: the Docker Engine API's own shapes
//! (API 1.51), read leniently (`null` means "not given") and written as Docker writes them.
//!
//! In: JSON. Out: plain values without behaviour. Meaning is given to them by the verbs
//! (`container::create` parses a spec once into typed parts). Nothing here is checked.

mod config;
mod exec;
mod host_config;
mod network;
mod update;

pub use config::{ContainerConfig, Healthcheck};
pub use exec::ExecConfig;
pub use host_config::{
    BindOptions, DeviceMapping, DeviceRequest, HostConfig, LogConfig, MountSpec, PortBinding,
    PortMap, RestartPolicy, ThrottleDevice, TmpfsOptions, Ulimit, VolumeOptions, WeightDevice,
};
pub use network::{
    EndpointIpam, EndpointSettings, Ipam, IpamConfig, NetworkCreate, NetworkingConfig,
};
pub use update::NetworkUpdate;

use serde::{Deserialize, Deserializer};

/// The empty object that Docker uses as the value of a set (`{"80/tcp": {}}`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct Empty {}

/// Reads `null` as the default of the type: clients written in Go send nil slices and maps as `null`.
pub(crate) fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    d: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(d)?.unwrap_or_default())
}

/// Reads a list of words, or one string as a list of one (`"Cmd": "true"`), as Docker does.
pub(crate) fn words<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Words {
        One(String),
        Many(Vec<String>),
    }
    Ok(Option::<Words>::deserialize(d)?.map(|w| match w {
        Words::One(s) => vec![s],
        Words::Many(v) => v,
    }))
}
