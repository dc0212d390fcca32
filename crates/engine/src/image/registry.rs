//! What the engine has for registries: the client, running downloads, and how many at a time.
//!
//! In: the settings. Out: sessions with registries, their failures as errors of the engine in
//! Docker's words. What is pulled or pushed is in `pull.rs` and `push.rs`.

use std::path::Path;
use std::time::Duration;

use hawser_images::Reference;
use hawser_registry::{Config, Error as Failure, Registries};
use tokio::sync::Semaphore;

use super::download::Downloads;
use crate::error::{Error, Kind};
use crate::settings::Settings;

/// Authorities that are trusted for one registry: `HOST/*.crt` below it.
const CERTIFICATES: &str = "/etc/hawser/certs.d";
/// How long a registry may keep us waiting for a connection, an answer or the next bytes.
const PATIENCE: Duration = Duration::from_secs(30);
/// As many as Docker.
const UPLOADS: usize = 5;

/// Registries as the engine has them.
pub(crate) struct Registry {
    pub registries: Registries,
    pub downloads: Downloads,
    pub uploads: Semaphore,
}

impl Registry {
    pub(crate) fn new(settings: &Settings) -> Self {
        let config = Config {
            policy: settings.registries.clone(),
            certificates: Path::new(CERTIFICATES).to_owned(),
            patience: PATIENCE,
        };
        Self {
            registries: Registries::new(config),
            downloads: Downloads::default(),
            uploads: Semaphore::new(UPLOADS),
        }
    }
}

/// What a registry's failure is to somebody who pulls `name`; `name` may have no tag.
pub(super) fn pull_failed(name: &Reference, failure: Failure) -> Error {
    let repository = name.familiar_name();
    match failure {
        Failure::NotFound(why) if why.starts_with("name unknown") => {
            Error::not_found(format!("repository {repository} not found: {why}"))
        }
        Failure::NotFound(why) => {
            Error::not_found(format!("manifest for {} not found: {why}", name.familiar()))
        }
        // As Docker says it: 401 would make its client ask for a password, terminal or not.
        Failure::Denied(why) | Failure::Unauthorized(why) => {
            Error::not_found(denied(&repository, &why))
        }
        other => failed(other),
    }
}

/// Docker's clients know this sentence.
fn denied(repository: &str, why: &str) -> String {
    format!(
        "pull access denied for {repository}, repository does not exist or may require \
         'docker login': {why}"
    )
}

/// What a registry's failure is to somebody who pushes.
pub(super) fn push_failed(failure: Failure) -> Error {
    match failure {
        Failure::Denied(why) | Failure::NotFound(why) => Error::new(Kind::Forbidden, why),
        Failure::Unauthorized(why) => Error::new(Kind::Unauthorized, why),
        other => failed(other),
    }
}

fn failed(failure: Failure) -> Error {
    let text = failure.to_string();
    let kind = match failure {
        Failure::Unauthorized(_) => Kind::Unauthorized,
        Failure::Busy { .. } => Kind::Unavailable,
        _ => Kind::System,
    };
    Error::new(kind, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_in_dockers_words() {
        let name = Reference::parse("localhost:5000/x:y").unwrap();
        let told = |failure| pull_failed(&name, failure).to_string();
        let unknown = "manifest unknown: manifest unknown".to_owned();
        assert_eq!(
            told(Failure::NotFound(unknown)),
            "manifest for localhost:5000/x:y not found: manifest unknown: manifest unknown"
        );
        let denied = pull_failed(&name, Failure::Denied("denied: no".to_owned()));
        assert_eq!(
            denied.to_string(),
            "pull access denied for localhost:5000/x, repository does not exist or may require \
             'docker login': denied: no"
        );
        assert_eq!(denied.kind(), Kind::NotFound);
    }
}
