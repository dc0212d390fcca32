//! Changing a network that may be in use, and its name.

use super::{NetworkChange, NetworkName, Surroundings};
use crate::error::Error;
use crate::id::NetworkId;
use crate::model::{Model, Touched};

impl Model {
    /// Changes labels and options of a network and adds pools; its endpoints stay as they are,
    /// and are touched with it.
    pub fn update_network(
        &mut self,
        id: NetworkId,
        change: NetworkChange,
        around: &Surroundings,
    ) -> Result<Touched, Error> {
        todo!("{id} {change:?} {around:?}")
    }

    /// Gives a network another name; refused for predefined ones, and if the name is taken.
    pub fn rename_network(&mut self, id: NetworkId, name: NetworkName) -> Result<Touched, Error> {
        todo!("{id} {name}")
    }
}
