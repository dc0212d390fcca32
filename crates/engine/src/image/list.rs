//! `images`.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Image;
use crate::Engine;
use crate::container::until;
use crate::error::Result;
use crate::filters::Filters;

const KNOWN_FILTERS: &[&str] = &["before", "dangling", "label", "reference", "since", "until"];

/// An image in a list.
#[derive(Clone, Debug)]
pub struct ImageView {
    /// The image.
    pub image: Image,
    /// How many containers use it.
    pub containers: usize,
}

impl Engine {
    /// Images, the youngest first.
    ///
    /// # Errors
    /// Invalid for an unknown filter or value, NotFound for a `before` or `since` that is not there.
    pub async fn image_list(self: &Arc<Self>, filters: &Filters) -> Result<Vec<ImageView>> {
        filters.allow(KNOWN_FILTERS)?;
        let dangling = filters.boolean("dangling")?;
        let until = until(filters, Utc::now())?;
        let before = self.image_created(filters, "before")?;
        let since = self.image_created(filters, "since")?;
        let mut users: HashMap<String, usize> = HashMap::new();
        for entry in self.containers.all() {
            *users.entry(entry.record().image.clone()).or_default() += 1;
        }
        let named = self.images.list().into_iter().filter_map(|image| named(image, filters));
        let wanted = named.filter(|image| {
            let time = created(image);
            dangling.is_none_or(|dangling| image.repo_tags.is_empty() == dangling)
                && before.is_none_or(|before| time < Some(before))
                && since.is_none_or(|since| time > Some(since))
                && until.is_none_or(|until| time < Some(until))
                && filters.labels("label", &image.config.config.labels)
        });
        let view = |image: Image| {
            let containers = users.get(image.id.as_str()).copied().unwrap_or_default();
            ImageView { image, containers }
        };
        Ok(wanted.map(view).collect())
    }

    fn image_created(&self, filters: &Filters, key: &str) -> Result<Option<DateTime<Utc>>> {
        let mut values = filters.values(key);
        let Some(reference) = values.next() else { return Ok(None) };
        Ok(created(&self.images.resolve(reference)?))
    }
}

/// When an image was made, as it says itself.
pub(super) fn created(image: &Image) -> Option<DateTime<Utc>> {
    let text = image.config.created.as_deref()?;
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}

/// The image with those of its names that are one of the patterns, with or without their tag; `None`
/// if none is.
fn named(mut image: Image, filters: &Filters) -> Option<Image> {
    if !filters.contains("reference") {
        return Some(image);
    }
    let fits = |name: &String, mark: char| {
        let bare = name.rsplit_once(mark).map_or(name.as_str(), |(bare, _)| bare);
        filters.values("reference").any(|pattern| glob(pattern, name) || glob(pattern, bare))
    };
    image.repo_tags.retain(|name| fits(name, ':'));
    image.repo_digests.retain(|name| fits(name, '@'));
    (!image.repo_tags.is_empty() || !image.repo_digests.is_empty()).then_some(image)
}

/// Whether a shell pattern of `*` and `?` matches the whole text; neither matches a slash.
///
/// Only the last star is ever made longer: what an earlier one could still take, the last one can
/// as well. So the time is bounded by the product of the lengths, whatever the pattern.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Behind the last star, and where the text goes on behind what it has taken.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                p += 1;
                star = Some((p, t));
            }
            Some('?') if text[t] != '/' => (p, t) = (p + 1, t + 1),
            Some(c) if *c == text[t] => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((behind, taken)) if text[taken] != '/' => {
                    star = Some((behind, taken + 1));
                    (p, t) = (behind, taken + 1);
                }
                _ => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn patterns_match_whole_names() {
        assert!(glob("busy*", "busybox"));
        assert!(glob("busybox:l?test", "busybox:latest"));
        assert!(glob("*/x", "a/x"));
        assert!(!glob("*", "a/x"));
        assert!(!glob("busy", "busybox"));
        assert!(glob("", ""));
        assert!(glob("a*", "a"));
        assert!(!glob("?", "/"));
        assert!(!glob("a?", "a"));
        assert!(glob("*a*b", "xaab"));
        assert!(glob("*/*:*", "x.io/a:1"));
        assert!(!glob("*a/a*b", "a/a/ab"));
    }

    #[test]
    fn many_stars_take_no_longer() {
        let (stars, name) = ("*a".repeat(40), "a".repeat(120));
        assert!(glob(&stars, &name));
        assert!(!glob(&format!("{stars}b"), &name));
    }
}
