//! References to images, as far as the client must understand them itself.

use super::Invalid;

/// What a user calls an image, with the tag it stands for: `busybox` is `busybox:latest`.
pub fn familiar(reference: &str) -> String {
    match has_tag_or_digest(reference) {
        true => reference.to_owned(),
        false => format!("{reference}:latest"),
    }
}

fn has_tag_or_digest(reference: &str) -> bool {
    let last = reference.rsplit_once('/').map_or(reference, |(_, last)| last);
    last.contains([':', '@'])
}

/// The name in full, with its registry: `busybox` is `docker.io/library/busybox`.
pub fn qualified(name: &str) -> String {
    match name.split_once('/') {
        None => format!("docker.io/library/{name}"),
        Some((domain, _)) if is_registry(domain) => name.to_owned(),
        Some(_) => format!("docker.io/{name}"),
    }
}

/// Whether the first part of a name is the address of a registry.
fn is_registry(part: &str) -> bool {
    part.contains(['.', ':']) || part == "localhost" || has_uppercase(part)
}

fn has_uppercase(part: &str) -> bool {
    part.contains(|c: char| c.is_ascii_uppercase())
}

/// Name and tag for the requests that take them apart.
pub fn split_tag(reference: &str) -> (&str, &str) {
    match reference.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (reference, ""),
    }
}

/// Refuses what cannot name an image.
pub fn check(reference: &str) -> Result<(), Invalid> {
    let is_id = reference.len() == 64 && reference.chars().all(|c| c.is_ascii_hexdigit());
    if is_id {
        return Err(Invalid(format!(
            "invalid repository name ({reference}), cannot specify 64-byte hexadecimal strings"
        )));
    }
    let (path, digest) = reference.split_once('@').unwrap_or((reference, "sha256:"));
    let (name, tag) = split_tag(path);
    let parts: Vec<&str> = name.split('/').collect();
    let domain = parts.len() > 1 && is_registry(parts[0]);
    let path = &parts[usize::from(domain)..];
    if path.iter().any(|part| has_uppercase(part)) && !domain {
        let official = if path.len() == 1 { format!("library/{name}") } else { name.to_owned() };
        return Err(Invalid(format!(
            "invalid reference format: repository name ({official}) must be lowercase"
        )));
    }
    let good_tag = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let tag_is_good = tag.len() <= 128 && tag.chars().all(good_tag) && !tag.starts_with(['.', '-']);
    if !path.iter().all(|part| is_component(part))
        || !tag_is_good
        || reference.ends_with(':')
        || !digest.contains(':')
    {
        return Err(Invalid::new("invalid reference format"));
    }
    Ok(())
}

fn is_component(part: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    part.chars().all(good) && edge(part.chars().next()) && edge(part.chars().last())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_is_latest() {
        assert_eq!(familiar("busybox"), "busybox:latest");
        assert_eq!(familiar("localhost:5000/a"), "localhost:5000/a:latest");
        assert_eq!(familiar("a:1"), "a:1");
        assert_eq!(split_tag("localhost:5000/a"), ("localhost:5000/a", ""));
        assert_eq!(split_tag("a/b:1"), ("a/b", "1"));
    }

    #[test]
    fn names_have_registries() {
        assert_eq!(qualified("a"), "docker.io/library/a");
        assert_eq!(qualified("a/b"), "docker.io/a/b");
        assert_eq!(qualified("localhost:5000/a"), "localhost:5000/a");
    }

    #[test]
    fn names_follow_rules() {
        for good in
            ["a", "a/b:1", "localhost:5000/a-b_c:x.Y", "a@sha256:00", "Example.com/a", "Foo/bar"]
        {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        assert_eq!(
            check("BUSYBOX").unwrap_err().to_string(),
            "invalid reference format: repository name (library/BUSYBOX) must be lowercase"
        );
        for bad in ["", "-a", "a b", "a:", "a:b c", "a//b"] {
            assert_eq!(check(bad).unwrap_err().to_string(), "invalid reference format", "{bad}");
        }
    }
}
