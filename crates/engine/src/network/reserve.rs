//! Fixed addresses of containers, which no other container gets by chance.
//!
//! In: container records, which hold what was asked for. Out: reservations in the model. They are
//! not stored: they follow from the records, and are told again when the daemon starts.

use std::collections::BTreeSet;
use std::net::IpAddr;

use hawser_model::{Model, NetworkName, SandboxId};

use super::{Networks, sandbox_id};
use crate::record::Container;
use crate::spec::EndpointSettings;

impl Networks {
    /// Makes the model know what these containers ask for.
    pub(crate) async fn reserve(&self, records: &[impl AsRef<Container>]) {
        let fixed = |record: &Container| {
            let asked = sandbox_id(&record.id).ok()?;
            let all = record.networks.iter();
            let all = all.map(|(name, settings)| (name.parse().ok(), addresses(settings)));
            let all = all.filter_map(|(name, addresses)| Some((name?, addresses)));
            let all: Vec<(NetworkName, _)> = all.filter(|(_, a)| !a.is_empty()).collect();
            (!all.is_empty()).then_some((asked, all))
        };
        let asked: Vec<_> = records.iter().filter_map(|record| fixed(record.as_ref())).collect();
        if asked.is_empty() {
            return;
        }
        let note = |model: &mut Model| {
            for (id, networks) in asked {
                for (name, addresses) in networks {
                    model.reserve(id, &name, addresses);
                }
            }
        };
        self.writer.note(note).await;
    }

    /// After the removal of a container: what it asked for is anybody's.
    pub(crate) async fn unreserve(&self, record: &Container) {
        let Ok(id) = sandbox_id(&record.id) else { return };
        if record.networks.values().any(|settings| !addresses(settings).is_empty()) {
            self.writer.note(|model| model.end_reservations(id)).await;
        }
    }
}

/// Keeps for a sandbox what it asks for on one network, and no more.
pub(super) fn reserve(
    model: &mut Model,
    sandbox: SandboxId,
    network: &NetworkName,
    settings: Option<&EndpointSettings>,
) {
    model.reserve(sandbox, network, settings.map(addresses).unwrap_or_default());
}

/// The addresses asked for; what is none is refused elsewhere.
fn addresses(settings: &EndpointSettings) -> BTreeSet<IpAddr> {
    let ipam = settings.ipam_config.iter();
    let texts = ipam.flat_map(|ipam| [&ipam.ipv4_address, &ipam.ipv6_address]);
    texts.filter_map(|text| text.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::EndpointIpam;

    #[test]
    fn addresses_are_what_was_asked_for() {
        let ipam_config = Some(EndpointIpam {
            ipv4_address: "10.7.0.9".into(),
            ipv6_address: "fd00::9".into(),
            link_local_ips: Some(vec!["169.254.1.1".into()]),
        });
        let settings = EndpointSettings { ipam_config, ..EndpointSettings::default() };
        let all: Vec<IpAddr> = addresses(&settings).into_iter().collect();
        assert_eq!(all, ["10.7.0.9".parse::<IpAddr>().unwrap(), "fd00::9".parse().unwrap()]);
        assert!(addresses(&EndpointSettings::default()).is_empty());
    }
}
