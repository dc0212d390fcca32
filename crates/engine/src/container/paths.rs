//! Where a container's log is; its other files are named by those who write them.

use std::path::PathBuf;

use crate::record::Container;
use crate::settings::Settings;

/// Its log; none for the log driver `none`.
pub(crate) fn log(settings: &Settings, record: &Container) -> Option<PathBuf> {
    let kept = record.host_config.log_config.kind != "none";
    kept.then(|| settings.container_dir(&record.id).join("container.log"))
}
