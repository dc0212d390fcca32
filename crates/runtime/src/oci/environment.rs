//! The environment of a process, in Docker's order.
//!
//! In: lists of `NAME=value`. Out: one list, each name once. No I/O.

/// `PATH` of a container that sets none.
pub(super) const DEFAULT_PATH: &str =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What every process gets before its own variables.
pub(super) fn defaults(hostname: &str, tty: bool, linked: &[String]) -> Vec<String> {
    let mut env = vec![DEFAULT_PATH.to_owned(), format!("HOSTNAME={hostname}")];
    if tty {
        env.push("TERM=xterm".to_owned());
    }
    env.extend_from_slice(linked);
    env
}

/// Puts `overrides` over `env`: a name that is there keeps its place, a new one goes to the end, and one without
/// `=` goes away.
pub(super) fn merge(env: &mut Vec<String>, overrides: &[String]) {
    for entry in overrides {
        let name = entry.split('=').next().unwrap_or_default();
        let place = env.iter().position(|old| old.split('=').next() == Some(name));
        match (entry.contains('='), place) {
            (true, Some(place)) => env[place].clone_from(entry),
            (true, None) => env.push(entry.clone()),
            (false, Some(place)) => drop(env.remove(place)),
            (false, None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_values_take_the_defaults_places() {
        let mut env = defaults("c1", true, &["DB_PORT=tcp://1".to_owned()]);
        merge(&mut env, &["A=1", "TERM=vt100", "PATH", "A=2"].map(str::to_owned));
        assert_eq!(env, ["HOSTNAME=c1", "TERM=vt100", "DB_PORT=tcp://1", "A=2"]);
    }
}
