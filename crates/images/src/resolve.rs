//! Finding images, listing them, giving them names.
//!
//! In: what a person typed. Out: [`Image`]s. The precedence is Docker's: a whole id, a name, the
//! beginning of an id.

use std::sync::Arc;

use chrono::DateTime;

use crate::error::{Error, Result};
use crate::id::{Digest, ImageId};
use crate::index::{Known, State};
use crate::reference::{Reference, is_identifier};
use crate::{Image, Images};

impl Images {
    /// All images, newest first.
    pub fn list(&self) -> Vec<Image> {
        let state = self.state();
        let mut images: Vec<Image> =
            state.images.iter().map(|(id, known)| image(&state, id, known)).collect();
        let created = |image: &Image| {
            let text = image.config.created.as_deref()?;
            DateTime::parse_from_rfc3339(text).ok()
        };
        images.sort_by_cached_key(|image| std::cmp::Reverse(created(image)));
        images
    }

    /// The image that a name, name with digest, id or unique id prefix means.
    ///
    /// Errors: kind `NotFound`, `No such image: …` as Docker says it; `InvalidParameter` for a
    /// malformed reference.
    pub fn resolve(&self, reference: &str) -> Result<Image> {
        let state = self.state();
        let id = find(&state, reference)?;
        let known = state.images.get(&id).ok_or_else(|| no_such(reference))?;
        Ok(image(&state, &id, known))
    }

    /// Gives the image `source` the name `target` (`repo[:tag]`), taking it from another.
    ///
    /// Errors: kinds `NotFound` (`source`), `InvalidParameter` (`target`).
    pub fn tag(&self, source: &str, target: &str) -> Result<()> {
        let target = taggable(target)?;
        self.change(|state| {
            let id = find(state, source)?;
            put_tag(state, &id, target);
            Ok(())
        })
    }
}

/// Gives an image a name that it has from now on, noting the time.
pub(crate) fn put_tag(state: &mut State, id: &ImageId, name: Reference) {
    state.references.insert(name, id.clone());
    if let Some(known) = state.images.get_mut(id) {
        let last_tagged = Some(crate::now());
        *known = Arc::new(Known { last_tagged, ..Known::clone(known) });
    }
}

/// A reference that may become a name.
pub(crate) fn taggable(text: &str) -> Result<Reference> {
    let reference = Reference::parse(text)?;
    let refuse = |message: &str| Err(Error::InvalidReference(message.to_owned()));
    if reference.digest().is_some() {
        return refuse("refusing to create a tag with a digest reference");
    }
    if reference.familiar_name() == "sha256" {
        return refuse("refusing to create an ambiguous tag using digest algorithm as name");
    }
    Ok(reference.or_latest())
}

/// The image that the text means.
pub(crate) fn find(state: &State, text: &str) -> Result<ImageId> {
    if let Some(id) = whole_id(text) {
        return if state.images.contains_key(&id) { Ok(id) } else { Err(no_such(id.as_str())) };
    }
    let name = Reference::parse(text)?.or_latest();
    match find_name(state, text) {
        Some((_, id)) => Ok(id.clone()),
        None => by_prefix(state, text).ok_or_else(|| no_such(&name.familiar())),
    }
}

/// The name in the index that the text means, and its image; `None` if it can only be an id.
/// (With a digest the tag says nothing.)
pub(crate) fn find_name<'a>(state: &'a State, text: &str) -> Option<(&'a Reference, &'a ImageId)> {
    let name = Reference::parse(text).ok()?.or_latest();
    let name = if name.digest().is_some() { name.without_tag() } else { name };
    state.references.get_key_value(&name)
}

fn by_prefix(state: &State, text: &str) -> Option<ImageId> {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    let mut matches =
        state.images.keys().filter(|id| !hex.is_empty() && id.0.hex().starts_with(hex));
    let first = matches.next()?;
    matches.next().is_none().then(|| first.clone())
}

fn whole_id(text: &str) -> Option<ImageId> {
    let whole = if is_identifier(text) { format!("sha256:{text}") } else { text.to_owned() };
    whole.parse::<Digest>().ok().map(ImageId)
}

fn no_such(name: &str) -> Error {
    Error::NoSuchImage(name.to_owned())
}

fn image(state: &State, id: &ImageId, known: &Known) -> Image {
    let (digests, tags): (Vec<&Reference>, Vec<&Reference>) =
        state.names(id).partition(|name| name.digest().is_some());
    let familiar = |names: Vec<&Reference>| {
        let mut names: Vec<String> = names.into_iter().map(Reference::familiar).collect();
        names.sort();
        names
    };
    Image {
        id: id.clone(),
        config: Arc::clone(&known.config),
        manifest: known.manifest_digest.clone(),
        repo_tags: familiar(tags),
        repo_digests: familiar(digests),
        size: known.size,
        last_tagged: known.last_tagged.clone(),
    }
}
