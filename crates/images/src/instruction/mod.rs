//! Dockerfile instructions that change a configuration (`import --change`).
//!
//! In: lines such as `ENV A=b`. Out: a changed [`ContainerConfig`], or what is wrong with a line.
//! Those that would run or copy something have no place here.

mod healthcheck;
mod words;

use serde_json::{Map, Value};

use crate::config::ContainerConfig;
use crate::error::{Error, Result};
use words::{Variables, pairs, split};

/// Applies the lines in order.
///
/// Errors: [`Error::InvalidChange`] in Docker's words where Docker has some.
pub(crate) fn apply(config: &mut ContainerConfig, lines: &[String]) -> Result<()> {
    let lines = lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
    lines.into_iter().try_for_each(|line| one(config, line))
}

fn one(config: &mut ContainerConfig, line: &str) -> Result<()> {
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let (name, rest) = (name.to_uppercase(), rest.trim());
    if KNOWN.contains(&name.as_str()) && rest.is_empty() {
        return Err(invalid(format!("{name} requires at least one argument")));
    }
    let variables = Variables::of(&config.env);
    match name.as_str() {
        "CMD" => config.cmd = Some(command(rest)),
        "ENTRYPOINT" => config.entrypoint = Some(command(rest)),
        "ENV" => {
            let pairs = pairs("ENV", rest, &variables)?;
            pairs.into_iter().for_each(|(key, value)| set_env(&mut config.env, &key, &value));
        }
        "LABEL" => config.labels.extend(pairs("LABEL", rest, &variables)?),
        "EXPOSE" => expose(&mut config.exposed_ports, &split(rest, &variables)?)?,
        "VOLUME" => volumes(&mut config.volumes, rest, &variables)?,
        "USER" => config.user = variables.expand(rest)?,
        "WORKDIR" => config.working_dir = workdir(&config.working_dir, &variables.expand(rest)?),
        "STOPSIGNAL" => config.stop_signal = Some(variables.expand(rest)?),
        "ONBUILD" => config.on_build.push(on_build(rest)?),
        "HEALTHCHECK" => config.healthcheck = Some(healthcheck::parse(rest)?),
        _ => return Err(invalid(format!("{} is not a valid change command", name.to_lowercase()))),
    }
    Ok(())
}

const KNOWN: [&str; 11] = [
    "CMD",
    "ENTRYPOINT",
    "ENV",
    "LABEL",
    "EXPOSE",
    "VOLUME",
    "USER",
    "WORKDIR",
    "STOPSIGNAL",
    "ONBUILD",
    "HEALTHCHECK",
];

fn invalid(message: String) -> Error {
    Error::InvalidChange(message)
}

/// The exec form (a JSON array of texts), or the shell form.
fn command(rest: &str) -> Vec<String> {
    let shell = || vec!["/bin/sh".to_owned(), "-c".to_owned(), rest.to_owned()];
    serde_json::from_str(rest).unwrap_or_else(|_| shell())
}

fn set_env(env: &mut Vec<String>, key: &str, value: &str) {
    let pair = format!("{key}={value}");
    let same = |old: &&mut String| old.split('=').next() == Some(key);
    match env.iter_mut().find(same) {
        Some(old) => *old = pair,
        None => env.push(pair),
    }
}

fn expose(ports: &mut Map<String, Value>, words: &[String]) -> Result<()> {
    for word in words {
        let (range, protocol) = word.split_once('/').unwrap_or((word, "tcp"));
        let protocol = protocol.to_lowercase();
        if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
            return Err(invalid(format!("invalid proto: {protocol}")));
        }
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
        let bounds = port(first).zip(port(last)).filter(|(first, last)| first <= last);
        let (first, last) =
            bounds.ok_or_else(|| invalid(format!("invalid containerPort: {word}")))?;
        for port in first..=last {
            ports.insert(format!("{port}/{protocol}"), Value::Object(Map::new()));
        }
    }
    Ok(())
}

fn volumes(volumes: &mut Map<String, Value>, rest: &str, variables: &Variables) -> Result<()> {
    let paths = match serde_json::from_str::<Vec<String>>(rest) {
        Ok(paths) => paths,
        Err(_) => split(rest, variables)?,
    };
    for path in paths {
        if path.trim().is_empty() {
            return Err(invalid("VOLUME specified can not be an empty string".to_owned()));
        }
        volumes.insert(path.trim().to_owned(), Value::Object(Map::new()));
    }
    Ok(())
}

/// A path without `/` at its start is below the one before.
fn workdir(before: &str, path: &str) -> String {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{before}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

fn on_build(rest: &str) -> Result<String> {
    let name = rest.split_whitespace().next().unwrap_or_default().to_uppercase();
    match name.as_str() {
        "ONBUILD" => {
            Err(invalid("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed".to_owned()))
        }
        "MAINTAINER" | "FROM" => {
            Err(invalid(format!("{name} isn't allowed as an ONBUILD trigger")))
        }
        _ => Ok(rest.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(lines: &[&str]) -> Result<ContainerConfig> {
        let mut config = ContainerConfig::default();
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        apply(&mut config, &lines).map(|()| config)
    }

    fn message(line: &str) -> String {
        applied(&[line]).unwrap_err().to_string()
    }

    #[test]
    fn commands_have_two_forms() {
        let config = applied(&[r#"CMD ["sh", "-c", "x y"]"#, "ENTRYPOINT top -b"]).unwrap();
        assert_eq!(config.cmd.unwrap(), ["sh", "-c", "x y"]);
        assert_eq!(config.entrypoint.unwrap(), ["/bin/sh", "-c", "top -b"]);
        assert_eq!(applied(&["cmd []"]).unwrap().cmd.unwrap(), [""; 0]);
        assert_eq!(applied(&["CMD [not json"]).unwrap().cmd.unwrap()[2], "[not json");
    }

    #[test]
    fn pairs_are_read_in_both_forms() {
        let config = applied(&[
            "ENV A=1 B=\"two words\" C='$A' D=a\\ b",
            "ENV OLD the rest of it",
            "ENV A=3",
            "ENV P=$A:${B} Q=${NONE:-default} R=${A:+set}",
            "LABEL x.y=\"1 2\" z=",
        ])
        .unwrap();
        assert_eq!(
            config.env,
            [
                "A=3",
                "B=two words",
                "C=$A",
                "D=a b",
                "OLD=the rest of it",
                "P=3:two words",
                "Q=default",
                "R=set"
            ]
        );
        assert_eq!(config.labels["x.y"], "1 2");
        assert_eq!(config.labels["z"], "");
    }

    #[test]
    fn the_other_instructions_set_their_fields() {
        let config = applied(&[
            "EXPOSE 80 443/TCP 53/udp 8000-8002",
            "VOLUME /data /more",
            "VOLUME [\"/a b\"]",
            "USER 1000:1000",
            "WORKDIR /srv",
            "WORKDIR app/../x",
            "STOPSIGNAL SIGQUIT",
            "ONBUILD RUN make",
        ])
        .unwrap();
        let ports: Vec<&String> = config.exposed_ports.keys().collect();
        assert_eq!(ports, ["80/tcp", "443/tcp", "53/udp", "8000/tcp", "8001/tcp", "8002/tcp"]);
        assert_eq!(config.volumes.keys().collect::<Vec<_>>(), ["/data", "/more", "/a b"]);
        assert_eq!((config.user.as_str(), config.working_dir.as_str()), ("1000:1000", "/srv/x"));
        assert_eq!(config.stop_signal.as_deref(), Some("SIGQUIT"));
        assert_eq!(config.on_build, ["RUN make"]);
    }

    #[test]
    fn health_checks_are_read() {
        let config = applied(&[
            "HEALTHCHECK --interval=1m30s --timeout=500ms --retries=3 CMD curl -f localhost",
        ]);
        let check = config.unwrap().healthcheck.unwrap();
        assert_eq!(check.test, ["CMD-SHELL", "curl -f localhost"]);
        assert_eq!(
            (check.interval, check.timeout, check.retries),
            (90_000_000_000, 500_000_000, 3)
        );
        let check = applied(&["HEALTHCHECK CMD [\"true\"]"]).unwrap().healthcheck.unwrap();
        assert_eq!(check.test, ["CMD", "true"]);
        let check = applied(&["HEALTHCHECK none"]).unwrap().healthcheck.unwrap();
        assert_eq!(check.test, ["NONE"]);
    }

    #[test]
    fn wrong_lines_are_refused() {
        assert_eq!(message("RUN make"), "run is not a valid change command");
        assert_eq!(message("CMD"), "CMD requires at least one argument");
        assert_eq!(message("EXPOSE 70000"), "invalid containerPort: 70000");
        assert_eq!(message("EXPOSE 80/icmp"), "invalid proto: icmp");
        assert_eq!(message("ENV A"), "ENV must have two arguments");
        assert_eq!(message("LABEL =x"), "LABEL names can not be blank");
        assert_eq!(message("ENV A=\"x"), "unterminated quote in \"A=\\\"x\"");
        assert_eq!(message("HEALTHCHECK CMD"), "Missing command after HEALTHCHECK CMD");
        assert_eq!(message("HEALTHCHECK PING"), "Unknown type \"PING\" in HEALTHCHECK (try CMD)");
        assert!(message("HEALTHCHECK --interval=x CMD y").contains("invalid duration"));
        assert!(message("HEALTHCHECK --timeout=1us CMD y").contains("cannot be less than 1ms"));
    }
}
