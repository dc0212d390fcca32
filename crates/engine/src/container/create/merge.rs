//! What the user gave and what the image brings, made one: pure rules, Docker's.

use hawser_images::ContainerConfig as ImageConfig;

use crate::error::{Error, Result};
use crate::network::is_publish_from;
use crate::spec::{ContainerConfig, Empty, Healthcheck};

/// Fills in from the image what the user left open.
///
/// # Errors
/// Invalid, `no command specified`, if neither says what to run.
pub(super) fn merge(mut config: ContainerConfig, image: &ImageConfig) -> Result<ContainerConfig> {
    fill(&mut config.user, &image.user);
    fill(&mut config.working_dir, &image.working_dir);
    fill(&mut config.stop_signal, image.stop_signal.as_deref().unwrap_or_default());
    let ports = image.exposed_ports.keys().map(|port| (full_port(port), Empty {}));
    let ports: Vec<_> = ports.chain(config.exposed_ports.take().into_iter().flatten()).collect();
    config.exposed_ports = (!ports.is_empty()).then(|| ports.into_iter().collect());
    let volumes = image.volumes.keys().map(|path| (path.clone(), Empty {}));
    let volumes: Vec<_> = volumes.chain(config.volumes.take().into_iter().flatten()).collect();
    config.volumes = (!volumes.is_empty()).then(|| volumes.into_iter().collect());
    for (key, value) in image.labels.iter().filter(|(key, _)| !is_publish_from(key)) {
        config.labels.entry(key.clone()).or_insert_with(|| value.clone());
    }
    merge_env(&mut config, image);
    merge_command(&mut config, image)?;
    config.healthcheck = merge_health(config.healthcheck.take(), image);
    Ok(config)
}

fn fill(mine: &mut String, theirs: &str) {
    if mine.is_empty() {
        theirs.clone_into(mine);
    }
}

fn full_port(port: &str) -> String {
    if port.contains('/') { port.to_owned() } else { format!("{port}/tcp") }
}

fn merge_env(config: &mut ContainerConfig, image: &ImageConfig) {
    let key = |variable: &str| variable.split('=').next().unwrap_or_default().to_owned();
    let mine = config.env.get_or_insert_default();
    let own: Vec<String> = mine.iter().map(|variable| key(variable)).collect();
    mine.extend(image.env.iter().filter(|variable| !own.contains(&key(variable))).cloned());
}

fn merge_command(config: &mut ContainerConfig, image: &ImageConfig) -> Result<()> {
    let empty = |words: &Option<Vec<String>>| words.as_ref().is_none_or(Vec::is_empty);
    if empty(&config.entrypoint) {
        if empty(&config.cmd) {
            config.cmd.clone_from(&image.cmd);
        }
        if config.entrypoint.is_none() {
            config.entrypoint.clone_from(&image.entrypoint);
        }
    }
    // `--entrypoint ""` is sent as one empty word and means none, not even the image's.
    if config.entrypoint.as_ref().is_some_and(|words| words.len() == 1 && words[0].is_empty()) {
        config.entrypoint = None;
    }
    if empty(&config.entrypoint) && empty(&config.cmd) {
        return Err(Error::invalid("no command specified"));
    }
    Ok(())
}

fn merge_health(mine: Option<Healthcheck>, image: &ImageConfig) -> Option<Healthcheck> {
    let Some(theirs) = &image.healthcheck else { return mine };
    let mut merged = mine.unwrap_or_default();
    if merged.test.as_ref().is_none_or(Vec::is_empty) {
        merged.test = Some(theirs.test.clone());
    }
    for (mine, theirs) in [
        (&mut merged.interval, theirs.interval),
        (&mut merged.timeout, theirs.timeout),
        (&mut merged.start_period, theirs.start_period),
        (&mut merged.start_interval, theirs.start_interval),
        (&mut merged.retries, theirs.retries),
    ] {
        if *mine == 0 {
            *mine = theirs;
        }
    }
    Some(merged)
}

/// The program and its arguments: the entry point, then the command.
pub(super) fn command_line(config: &ContainerConfig) -> (String, Vec<String>) {
    let words = config.entrypoint.iter().flatten().chain(config.cmd.iter().flatten());
    let mut words = words.cloned();
    (words.next().unwrap_or_default(), words.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Option<Vec<String>> {
        Some(words.iter().map(|w| (*w).to_owned()).collect())
    }

    fn image() -> ImageConfig {
        ImageConfig {
            cmd: words(&["serve"]),
            entrypoint: words(&["/app"]),
            env: vec!["PATH=/bin".into(), "A=image".into()],
            user: "www".into(),
            ..ImageConfig::default()
        }
    }

    fn line(entrypoint: Option<Vec<String>>, cmd: Option<Vec<String>>) -> Vec<String> {
        let user = ContainerConfig { entrypoint, cmd, ..ContainerConfig::default() };
        let (path, args) = command_line(&merge(user, &image()).unwrap());
        std::iter::once(path).chain(args).collect()
    }

    #[test]
    fn the_command_line_follows_docker() {
        assert_eq!(line(None, None), ["/app", "serve"]);
        assert_eq!(line(None, words(&["x"])), ["/app", "x"]);
        assert_eq!(line(words(&["sh"]), None), ["sh"], "an entry point resets the command");
        assert_eq!(line(words(&["sh"]), words(&["-c"])), ["sh", "-c"]);
        assert_eq!(line(words(&[""]), words(&["ls"])), ["ls"], "an empty one resets the image's");
    }

    #[test]
    fn something_must_be_run() {
        let error = merge(ContainerConfig::default(), &ImageConfig::default()).unwrap_err();
        assert_eq!(error.to_string(), "no command specified");
    }

    #[test]
    fn the_user_wins() {
        let user = ContainerConfig {
            env: words(&["A=mine", "B"]),
            user: "root".into(),
            ..ContainerConfig::default()
        };
        let merged = merge(user, &image()).unwrap();
        assert_eq!(merged.env.unwrap(), ["A=mine", "B", "PATH=/bin"]);
        assert_eq!(merged.user, "root");
    }

    #[test]
    fn sets_are_united() {
        let mut image = image();
        image.exposed_ports.insert("80".into(), serde_json::json!({}));
        let ports = Some([("53/udp".to_owned(), Empty {})].into());
        let user = ContainerConfig { exposed_ports: ports, ..ContainerConfig::default() };
        let ports: Vec<_> =
            merge(user, &image).unwrap().exposed_ports.unwrap().into_keys().collect();
        assert_eq!(ports, ["53/udp", "80/tcp"]);
    }

    #[test]
    fn a_health_check_is_filled_in() {
        let theirs = hawser_images::Healthcheck {
            test: vec!["CMD".into(), "true".into()],
            interval: 5,
            ..Default::default()
        };
        let image = ImageConfig { healthcheck: Some(theirs), ..image() };
        let mine = Healthcheck { retries: 7, ..Healthcheck::default() };
        let user = ContainerConfig { healthcheck: Some(mine), ..ContainerConfig::default() };
        let merged = merge(user, &image).unwrap().healthcheck.unwrap();
        assert_eq!((merged.interval, merged.retries), (5, 7));
        assert_eq!(merged.test, words(&["CMD", "true"]));
    }
}
