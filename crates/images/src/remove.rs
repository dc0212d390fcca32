//! Removing names and images.
//!
//! In: what a person typed, and who uses which image. Out: what is gone, or Docker's refusal.
//! The rules are Docker's: a name goes alone while there are others; with the last one goes the
//! image; what a running container uses is never removed, what a stopped one uses by force only.

use crate::Images;
use crate::error::{Error, Result};
use crate::id::{ChainId, Digest, ImageId};
use crate::index::State;
use crate::reference::Reference;
use crate::resolve::{find, find_name};

/// What `remove` did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removed {
    /// A name (familiar) was taken away.
    Untagged(String),
    /// An image (`sha256:…`) or layer (its chain id) is gone.
    Deleted(String),
}

/// A container that uses an image, told by the caller of `remove`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The container's id.
    pub container: String,
    /// Whether it runs.
    pub running: bool,
}

/// What is to be swept after the image was taken from the index.
type Leftovers = (Vec<ChainId>, Vec<Digest>);

impl Images {
    /// Takes the name away, and the image with its layers when it was the last name.
    /// `users` gives the containers that use an image; it must not call the store.
    ///
    /// Errors: kind `Conflict` in Docker's words.
    pub fn remove(
        &self,
        reference: &str,
        force: bool,
        users: &dyn Fn(&ImageId) -> Vec<User>,
    ) -> Result<Vec<Removed>> {
        let (mut removed, leftovers) = self.change(|state| {
            let id = find(state, reference)?;
            let users = users(&id);
            let name = find_name(state, reference).map(|(name, _)| name.clone());
            let mut removal = Removal { state, id, users, force, removed: Vec::new() };
            let leftovers = match name {
                Some(name) => removal.by_name(&name)?,
                None => removal.by_id()?,
            };
            Ok((removal.removed, leftovers))
        })?;
        if let Some((layers, blobs)) = leftovers {
            let layers = self.sweep(layers, blobs)?;
            removed.extend(layers.into_iter().map(|chain| Removed::Deleted(chain.to_string())));
        }
        Ok(removed)
    }
}

struct Removal<'a> {
    state: &'a mut State,
    id: ImageId,
    users: Vec<User>,
    force: bool,
    removed: Vec<Removed>,
}

impl Removal<'_> {
    fn by_id(&mut self) -> Result<Option<Leftovers>> {
        let several = !is_single(&self.names());
        self.refuse_if_used(several)?;
        self.delete().map(Some)
    }

    fn by_name(&mut self, name: &Reference) -> Result<Option<Leftovers>> {
        if !self.force && is_single(&self.names()) {
            self.refuse_to_orphan(name)?;
        }
        self.untag(name);
        let same_repository = |other: &&Reference| other.name() == name.name();
        let names = self.names();
        let here: Vec<&Reference> = names.iter().filter(same_repository).collect();
        // Digests of a repository mean nothing once its last tag is gone.
        if name.digest().is_none() && here.iter().all(|other| other.digest().is_some()) {
            here.into_iter().for_each(|digest| self.untag(digest));
        }
        if !self.names().is_empty() {
            return Ok(None);
        }
        self.refuse_if_used(false)?;
        self.delete().map(Some)
    }

    fn names(&self) -> Vec<Reference> {
        self.state.names(&self.id).cloned().collect()
    }

    fn untag(&mut self, name: &Reference) {
        if self.state.references.remove(name).is_some() {
            self.removed.push(Removed::Untagged(name.familiar()));
        }
    }

    fn delete(&mut self) -> Result<Leftovers> {
        for name in self.names() {
            self.untag(&name);
        }
        let known = self.state.images.remove(&self.id);
        let known = known.ok_or_else(|| Error::NoSuchImage(self.id.to_string()))?;
        self.removed.push(Removed::Deleted(self.id.to_string()));
        Ok((known.chain(), known.blobs().chain([&self.id.0]).cloned().collect()))
    }

    /// Taking the only name of an image that a container uses would leave it nameless.
    fn refuse_to_orphan(&self, name: &Reference) -> Result<()> {
        let Some(user) = self.users.first() else { return Ok(()) };
        Err(Error::Conflict(format!(
            "conflict: unable to remove repository reference \"{}\" (must force) - container {} is using its referenced image {}",
            name.familiar(),
            short(&user.container),
            self.id.short()
        )))
    }

    fn refuse_if_used(&self, several_names: bool) -> Result<()> {
        if let Some(user) = self.users.iter().find(|user| user.running) {
            let why =
                format!("image is being used by running container {}", short(&user.container));
            return Err(self.conflict("cannot be forced", &why));
        }
        if self.force {
            return Ok(());
        }
        if several_names {
            let why = "image is referenced in multiple repositories";
            return Err(self.conflict("must be forced", why));
        }
        match self.users.first() {
            None => Ok(()),
            Some(user) => {
                let user = short(&user.container);
                let why = format!("image is being used by stopped container {user}");
                Err(self.conflict("must be forced", &why))
            }
        }
    }

    fn conflict(&self, forcible: &str, why: &str) -> Error {
        let id = self.id.short();
        Error::Conflict(format!("conflict: unable to delete {id} ({forcible}) - {why}"))
    }
}

/// Whether all names are of one repository, at most one of them a tag.
fn is_single(names: &[Reference]) -> bool {
    let tags = names.iter().filter(|name| name.digest().is_none()).count();
    let one_repository = names.windows(2).all(|pair| pair[0].name() == pair[1].name());
    tags <= 1 && one_repository
}

fn short(container: &str) -> &str {
    container.get(..12).unwrap_or(container)
}
