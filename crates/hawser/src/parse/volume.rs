//! `-v` and `--tmpfs`.

use std::path::Path;

/// What a value of `-v` asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Volume {
    /// A new volume without a name, at this path.
    Anonymous(String),
    /// A path of the host or a named volume: `SOURCE:TARGET[:OPTIONS]`, as the API takes it.
    Bind(String),
}

/// Parses a value of `-v`. A source that starts with a dot is relative to `here`.
pub fn volume(text: &str, here: &Path) -> Volume {
    let Some((source, rest)) = text.split_once(':') else {
        return Volume::Anonymous(text.to_owned());
    };
    // The engine says what is wrong with a volume without a source; docker makes it a path.
    if source.is_empty() {
        return Volume::Anonymous(text.to_owned());
    }
    if !source.starts_with('.') {
        return Volume::Bind(text.to_owned());
    }
    let joined = here.join(source);
    let mut absolute = std::path::PathBuf::new();
    for part in joined.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                absolute.pop();
            }
            part => absolute.push(part),
        }
    }
    Volume::Bind(format!("{}:{rest}", absolute.display()))
}

/// Parses a value of `--tmpfs`: a path and its options.
pub fn tmpfs(text: &str) -> (String, String) {
    let (path, options) = text.split_once(':').unwrap_or((text, ""));
    (path.to_owned(), options.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Volume {
        volume(text, Path::new("/here/dir"))
    }

    #[test]
    fn tells_binds_from_anonymous_volumes() {
        assert_eq!(at("/data"), Volume::Anonymous("/data".into()));
        assert_eq!(at("/a:/b:ro"), Volume::Bind("/a:/b:ro".into()));
        assert_eq!(at("name:/b"), Volume::Bind("name:/b".into()));
        assert_eq!(at("./x:/b"), Volume::Bind("/here/dir/x:/b".into()));
        assert_eq!(at("..:/b"), Volume::Bind("/here:/b".into()));
        assert_eq!(at(":"), Volume::Anonymous(":".into()));
    }

    #[test]
    fn splits_tmpfs() {
        assert_eq!(tmpfs("/run:rw,size=1m"), ("/run".into(), "rw,size=1m".into()));
        assert_eq!(tmpfs("/run"), ("/run".into(), String::new()));
    }
}
