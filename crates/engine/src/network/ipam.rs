//! Address pools as a request asks for them.
//!
//! In: the request's `IPAM.Config`. Out: pools asked for, each text read once; what is no address is
//! refused in Docker's words. Whether it fits is the model's to say.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::str::FromStr;

use hawser_model::PoolSpec;
use ipnet::IpNet;

use crate::error::{Error, Result};
use crate::spec::IpamConfig;

/// One address pool asked for.
pub(super) fn pool(config: IpamConfig) -> Result<PoolSpec> {
    let aux = config.auxiliary_addresses.into_iter();
    let auxiliary = aux.map(|(name, text)| {
        let address = address(&text, &format!("auxiliary address {name}"))?;
        Ok((name, address))
    });
    let auxiliary: Result<BTreeMap<String, IpAddr>> = auxiliary.collect();
    Ok(PoolSpec {
        subnet: given(&config.subnet, |text| net(text, "subnet"))?,
        ip_range: given(&config.ip_range, |text| net(text, "ip-range"))?,
        gateway: given(&config.gateway, |text| address(text, &format!("gateway {text}")))?,
        next_hop: None,
        auxiliary: auxiliary?,
    })
}

fn given<T>(text: &str, read: impl Fn(&str) -> Result<T>) -> Result<Option<T>> {
    if text.is_empty() { Ok(None) } else { read(text).map(Some) }
}

fn net(text: &str, what: &str) -> Result<IpNet> {
    let mapped = text.to_ascii_lowercase().starts_with("::ffff:") && text.contains('.');
    let read = IpNet::from_str(text).ok().filter(|_| !mapped);
    read.ok_or_else(|| invalid(&format!("invalid {what} {text}: invalid CIDR block notation")))
}

/// Docker's clients give addresses with a prefix length too.
fn address(text: &str, what: &str) -> Result<IpAddr> {
    let bare = text.split('/').next().unwrap_or_default();
    let read = bare.parse().map(|address: IpAddr| address.to_canonical());
    read.map_err(|_| invalid(&format!("invalid {what}: invalid address")))
}

fn invalid(fault: &str) -> Error {
    Error::invalid(format!("invalid network config:\n* {fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(subnet: &str, gateway: &str) -> IpamConfig {
        IpamConfig { subnet: subnet.into(), gateway: gateway.into(), ..IpamConfig::default() }
    }

    #[test]
    fn pools_are_read() {
        let pool = pool(config("10.7.0.0/24", "10.7.0.254/24")).unwrap();
        assert_eq!(pool.subnet, Some("10.7.0.0/24".parse().unwrap()));
        assert_eq!(pool.gateway, Some([10, 7, 0, 254].into()));
        assert_eq!(super::pool(IpamConfig::default()).unwrap(), PoolSpec::default());
        let size = super::pool(config("0.0.0.0/26", "")).unwrap();
        assert_eq!(size.subnet, Some("0.0.0.0/26".parse().unwrap()));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let refused = |subnet, gateway| pool(config(subnet, gateway)).unwrap_err().to_string();
        assert_eq!(
            refused("10.7.0.0", ""),
            "invalid network config:\n* invalid subnet 10.7.0.0: invalid CIDR block notation"
        );
        assert_eq!(
            refused("10.7.0.0/24", "here"),
            "invalid network config:\n* invalid gateway here: invalid address"
        );
        let auxiliary_addresses = BTreeMap::from([("router".to_owned(), "there".to_owned())]);
        let config = IpamConfig { auxiliary_addresses, ..config("10.7.0.0/24", "") };
        assert_eq!(
            pool(config).unwrap_err().to_string(),
            "invalid network config:\n* invalid auxiliary address router: invalid address"
        );
        assert!(refused("::ffff:10.7.0.0/120", "").contains("invalid CIDR block notation"));
    }
}
