//! What the container is: the API's `Config`.

use serde_json::{Value, json};

use super::Ports;
use crate::container::options::{ContainerOptions, HealthOptions, NetworkOptions, ProcessOptions};
use crate::parse::volume::{Volume, volume};
use crate::parse::{Invalid, env, process};

/// The label that hawserd reads (docs/firewall.md).
const PUBLISH_FROM: &str = "hawser.publish_from";

/// The `Config` that the flags ask for.
pub(super) fn config(options: &ContainerOptions, ports: &Ports) -> Result<Value, Invalid> {
    let process = &options.process;
    let attached = |stream: &str| process.attach.iter().any(|chosen| chosen == stream);
    let all = process.attach.is_empty();
    let stdin = attached("stdin") || process.interactive;
    let (image, command) =
        options.image_and_command.split_first().map_or(("", &[][..]), |(i, c)| (i.as_str(), c));
    Ok(json!({
        "Hostname": process.hostname,
        "Domainname": process.domainname,
        "User": process.user,
        "AttachStdin": stdin,
        "AttachStdout": all || attached("stdout"),
        "AttachStderr": all || attached("stderr"),
        "ExposedPorts": ports.exposed,
        "Tty": process.tty,
        "OpenStdin": process.interactive,
        "StdinOnce": process.interactive && stdin,
        "Env": environment(process)?,
        "Cmd": if command.is_empty() { Value::Null } else { json!(command) },
        "Healthcheck": health(&options.health)?,
        "Image": image,
        "Volumes": anonymous_volumes(options),
        "WorkingDir": process.workdir,
        "Entrypoint": process.entrypoint.as_ref().map(|program| [program]),
        "Labels": labels(process, &options.network)?,
        "StopSignal": process.stop_signal,
        "StopTimeout": process.stop_timeout,
        "MacAddress": options.network.mac_address,
    }))
}

/// `80/tcp=local` is the label that says so for one port, `local` that for all of them.
fn publish_from(text: &str) -> String {
    let number = |port: &str| port.split('/').next().is_some_and(|n| n.parse::<u16>().is_ok());
    match text.split_once('=').filter(|(port, _)| number(port)) {
        Some((port, sources)) => format!("{PUBLISH_FROM}.{port}={sources}"),
        None => format!("{PUBLISH_FROM}={text}"),
    }
}

fn environment(process: &ProcessOptions) -> Result<Vec<String>, Invalid> {
    let mut variables = Vec::new();
    for file in &process.env_file {
        variables.extend(env::variables_of(file)?);
    }
    variables.extend(process.env.iter().cloned());
    Ok(variables)
}

fn labels(options: &ProcessOptions, network: &NetworkOptions) -> Result<Value, Invalid> {
    let mut labels = Vec::new();
    for file in &options.label_file {
        labels.extend(env::labels_of(file)?);
    }
    labels.extend(options.label.iter().cloned());
    labels.extend(network.publish_from.iter().map(|text| publish_from(text)));
    Ok(process::pairs(&labels))
}

fn anonymous_volumes(options: &ContainerOptions) -> Value {
    let here = std::env::current_dir().unwrap_or_default();
    let mut volumes = json!({});
    for text in &options.storage.volume {
        if let Volume::Anonymous(path) = volume(text, &here) {
            volumes[path] = json!({});
        }
    }
    volumes
}

fn health(options: &HealthOptions) -> Result<Value, Invalid> {
    let times = [
        ("interval", options.health_interval),
        ("timeout", options.health_timeout),
        ("start-period", options.health_start_period),
        ("start-interval", options.health_start_interval),
    ];
    let asked = !options.health_cmd.is_empty()
        || options.health_retries != 0
        || times.iter().any(|(_, time)| *time != 0);
    if options.no_healthcheck {
        if asked {
            return Err(Invalid::new("--no-healthcheck conflicts with --health-* options"));
        }
        return Ok(json!({"Test": ["NONE"]}));
    }
    if !asked {
        return Ok(Value::Null);
    }
    if let Some((name, _)) = times.iter().find(|(_, time)| *time < 0) {
        return Err(Invalid(format!("--health-{name} cannot be negative")));
    }
    if options.health_retries < 0 {
        return Err(Invalid::new("--health-retries cannot be negative"));
    }
    let mut health = json!({
        "Interval": options.health_interval,
        "Timeout": options.health_timeout,
        "StartPeriod": options.health_start_period,
        "Retries": options.health_retries,
    });
    if options.health_start_interval != 0 {
        health["StartInterval"] = options.health_start_interval.into();
    }
    if !options.health_cmd.is_empty() {
        health["Test"] = json!(["CMD-SHELL", options.health_cmd]);
    }
    Ok(health)
}
