//! Events of containers: their attributes as Docker names them.

use std::collections::BTreeMap;

use crate::Engine;
use crate::record::Container;

/// Tells an event of a container: its labels, image and name, and what else is to be said.
pub(crate) fn container_event<const N: usize>(
    engine: &Engine,
    record: &Container,
    action: impl Into<String>,
    more: [(&str, String); N],
) {
    let mut attributes: BTreeMap<String, String> = record.config.labels.clone();
    attributes.insert("image".to_owned(), record.config.image.clone());
    attributes.insert("name".to_owned(), record.name.clone());
    attributes.extend(more.map(|(key, value)| (key.to_owned(), value)));
    engine.events.publish("container", action, record.id.as_str(), attributes);
}
