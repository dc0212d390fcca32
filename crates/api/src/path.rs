//! Names that contain slashes: images (`docker.io/library/busybox`), networks (`a b/c`), and the
//! legacy form of container names (`/web`).
//!
//! In: method and path as the client wrote it. Out: the same path with the slashes of the name
//! written as `%2F`, so that the router sees one segment. Paths of other shapes stay as they are.

use http::Method;

/// How the paths of one noun are built: `/<noun>/<name…>[/<verb>]`.
struct Noun {
    prefix: &'static str,
    /// Words after the noun that are verbs of the collection, not names.
    collection: &'static [&'static str],
    /// Words after a name, by method.
    get: &'static [&'static str],
    post: &'static [&'static str],
}

const NOUNS: [Noun; 7] = [
    Noun {
        prefix: "/containers/",
        collection: &["json", "create", "prune"],
        get: &["json", "top", "logs", "changes", "export", "stats", "attach/ws", "archive"],
        post: &[
            "start", "stop", "restart", "kill", "pause", "unpause", "rename", "resize", "attach",
            "wait", "exec", "update", "copy",
        ],
    },
    Noun {
        prefix: "/images/",
        collection: &["json", "create", "load", "search", "prune", "get"],
        get: &["json", "history", "get"],
        post: &["push", "tag"],
    },
    Noun {
        prefix: "/networks/",
        collection: &["create", "prune"],
        get: &[],
        post: &["connect", "disconnect"],
    },
    Noun { prefix: "/volumes/", collection: &["create", "prune"], get: &[], post: &[] },
    Noun { prefix: "/hawser/explain/", collection: &[], get: &[], post: &[] },
    Noun {
        prefix: "/hawser/networks/",
        collection: &["plan"],
        get: &[],
        post: &["rename", "update"],
    },
    Noun { prefix: "/distribution/", collection: &[], get: &["json"], post: &[] },
];

/// The path with the slashes inside a name escaped; `None` if there is nothing to do.
pub fn escape_name(method: &Method, path: &str) -> Option<String> {
    let noun = NOUNS.iter().find(|noun| path.starts_with(noun.prefix))?;
    let rest = &path[noun.prefix.len()..];
    if noun.collection.contains(&rest) {
        return None;
    }
    let verbs = match *method {
        Method::GET | Method::HEAD => noun.get,
        Method::POST => noun.post,
        Method::PUT => &["archive"],
        _ => &[],
    };
    let verb = verbs.iter().find(|verb| {
        rest.strip_suffix(**verb).is_some_and(|before| before.len() > 1 && before.ends_with('/'))
    });
    let (name, tail) = match verb {
        Some(verb) => rest.split_at(rest.len() - verb.len() - 1),
        None => (rest, ""),
    };
    name.contains('/').then(|| format!("{}{}{tail}", noun.prefix, name.replace('/', "%2F")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(method: Method, path: &str) -> String {
        escape_name(&method, path).unwrap_or_else(|| path.to_owned())
    }

    #[test]
    fn names_with_slashes_become_one_segment() {
        for (method, path, wanted) in [
            (Method::GET, "/images/a/b:c/json", "/images/a%2Fb:c/json"),
            (Method::GET, "/images/json/json", "/images/json/json"),
            (Method::GET, "/images/json", "/images/json"),
            (Method::DELETE, "/images/a/json", "/images/a%2Fjson"),
            (Method::POST, "/images/x.io:5000/a/tag", "/images/x.io:5000%2Fa/tag"),
            (Method::GET, "/containers//web/json", "/containers/%2Fweb/json"),
            (Method::GET, "/containers/web/json", "/containers/web/json"),
            (Method::GET, "/containers/web/attach/ws", "/containers/web/attach/ws"),
            (Method::GET, "/networks/a/b", "/networks/a%2Fb"),
            (Method::POST, "/networks/a/b/connect", "/networks/a%2Fb/connect"),
            (Method::POST, "/networks/create", "/networks/create"),
            (Method::POST, "/hawser/networks/a/b/update", "/hawser/networks/a%2Fb/update"),
            (Method::POST, "/hawser/networks/plan", "/hawser/networks/plan"),
            (Method::GET, "/hawser/explain//web", "/hawser/explain/%2Fweb"),
            (Method::GET, "/info", "/info"),
        ] {
            assert_eq!(escaped(method, path), wanted);
        }
    }
}
