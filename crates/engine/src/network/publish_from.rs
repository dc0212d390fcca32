//! Who may reach a container's published ports, as its labels say: any client can set labels.
//!
//! In: labels. Out: [`PublishFrom`]. `hawser.publish_from` is for all ports of the container,
//! `hawser.publish_from.80/tcp` for one of its own. Labels of images count for nothing here: who
//! builds an image has no say in who reaches the host.

use std::collections::BTreeMap;

use hawser_model::{PublishFrom, SOURCES};

use super::ports::parse_port;
use crate::error::{Error, Result};

/// The label, and the beginning of those for single ports.
pub(crate) const LABEL: &str = "hawser.publish_from";

/// Reads the labels of a container; others are passed over.
///
/// # Errors
/// Invalid: no port, or nobody that a packet could come from.
pub(super) fn read(labels: &BTreeMap<String, String>) -> Result<PublishFrom> {
    let mut found = PublishFrom::default();
    for (label, text) in labels.iter().filter(|(label, _)| is_ours(label)) {
        let refuse = |why: &str| Error::invalid(format!("invalid label {label}={text}: {why}"));
        let sources = text.parse().map_err(|_| refuse(SOURCES))?;
        match label.strip_prefix(LABEL).and_then(|rest| rest.strip_prefix('.')) {
            None => found.all = Some(sources),
            Some(port) => {
                let (port, transport) = parse_port(port).map_err(|e| refuse(&e.to_string()))?;
                found.ports.insert(format!("{port}/{transport}"), sources);
            }
        }
    }
    Ok(found)
}

/// Whether a label is read here.
pub(crate) fn is_ours(label: &str) -> bool {
    label.strip_prefix(LABEL).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(labels: &[(&str, &str)]) -> Result<PublishFrom> {
        read(&labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn a_port_goes_before_all() {
        let found = of(&[
            ("hawser.publish_from", "local"),
            ("hawser.publish_from.80", "10.0.0.0/8"),
            ("hawser.publish_from.53/udp", "any"),
            ("hawser.publish_fromage", "not ours"),
        ]);
        let found = found.unwrap();
        let text = |transport, port| found.of(transport, port).unwrap().to_string();
        use hawser_model::Transport::{Tcp, Udp};
        assert_eq!(text(Tcp, 80), "local,10.0.0.0/8");
        assert_eq!(text(Udp, 53), "any");
        assert_eq!(text(Udp, 80), "local");
        assert!(of(&[("a", "b")]).unwrap().is_empty());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for label in [("hawser.publish_from", "here"), ("hawser.publish_from.x", "any")] {
            let text = of(&[label]).unwrap_err().to_string();
            assert!(
                text.starts_with(&format!("invalid label {}={}: ", label.0, label.1)),
                "{text}"
            );
        }
    }
}
