//! The runtime's settings, out of the daemon's.

use std::path::PathBuf;

use hawser_runtime::{Config, Program};

use crate::settings::Settings;

/// What the runtime is opened with; `netns_dir` is where namespaces are pinned.
pub(crate) fn runtime_config(settings: &Settings, netns_dir: PathBuf) -> Config {
    let program = |name: &String, setting: &crate::settings::RuntimeSetting| {
        let program = Program { path: setting.path.clone().into(), args: setting.args.clone() };
        (name.clone(), program)
    };
    Config {
        exec_root: settings.exec_root.clone(),
        conmon: None,
        runtimes: settings.runtimes.iter().map(|(name, s)| program(name, s)).collect(),
        default_runtime: settings.default_runtime.clone(),
        netns_dir: Some(netns_dir),
    }
}
