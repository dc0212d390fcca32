//! Puts `--subnet`, `--ip-range`, `--gateway` and `--aux-address` together: each range, gateway
//! and address goes to the subnet that it is in.
//!
//! Whether a subnet is well-formed is the engine's to say; one that is not contains nothing.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use crate::parse::Invalid;

/// A subnet as it was written, and what it means if it means something.
struct Pool<'a> {
    text: &'a str,
    network: Option<(IpAddr, u8)>,
    range: &'a str,
    gateway: &'a str,
    auxiliary: Map<String, Value>,
}

/// The API's `IPAM.Config`.
pub fn config(
    subnets: &[String],
    ranges: &[String],
    gateways: &[String],
    auxiliary: &[(String, String)],
) -> Result<Value, Invalid> {
    if subnets.len() < ranges.len() || subnets.len() < gateways.len() {
        return Err(Invalid::new("every ip-range or gateway must have a corresponding subnet"));
    }
    let mut pools: Vec<Pool> = Vec::new();
    for text in subnets {
        let pool = Pool::new(text);
        if pools.iter().any(|other| other.overlaps(&pool)) {
            return Err(Invalid::new("multiple overlapping subnet configuration is not supported"));
        }
        pools.push(pool);
    }
    for range in ranges {
        let pool = find(&mut pools, address_of(range), &format!("range {range}"))?;
        set(&mut pool.range, range, pool.text, "ranges")?;
    }
    for gateway in gateways {
        let pool = find(&mut pools, gateway.parse().ok(), &format!("gateway {gateway}"))?;
        set(&mut pool.gateway, gateway, pool.text, "gateways")?;
    }
    for (name, address) in auxiliary {
        let pool = find(&mut pools, address.parse().ok(), &format!("aux-address {address}"))?;
        pool.auxiliary.insert(name.clone(), address.as_str().into());
    }
    Ok(Value::Array(pools.into_iter().map(Pool::into_json).collect()))
}

fn find<'a, 'b>(
    pools: &'a mut [Pool<'b>],
    address: Option<IpAddr>,
    what: &str,
) -> Result<&'a mut Pool<'b>, Invalid> {
    pools
        .iter_mut()
        .find(|pool| address.is_some_and(|address| pool.contains(address)))
        .ok_or_else(|| Invalid(format!("no matching subnet for {what}")))
}

fn set<'a>(slot: &mut &'a str, value: &'a str, subnet: &str, what: &str) -> Result<(), Invalid> {
    if !slot.is_empty() {
        return Err(Invalid(format!(
            "cannot configure multiple {what} ({value}, {slot}) on the same subnet ({subnet})"
        )));
    }
    *slot = value;
    Ok(())
}

fn address_of(cidr: &str) -> Option<IpAddr> {
    cidr.split_once('/').map_or(cidr, |(address, _)| address).parse().ok()
}

impl<'a> Pool<'a> {
    fn new(text: &'a str) -> Self {
        let network = text.split_once('/').and_then(|(address, bits)| {
            let (address, bits): (IpAddr, u8) = (address.parse().ok()?, bits.parse().ok()?);
            let most = if address.is_ipv4() { 32 } else { 128 };
            (bits <= most).then_some((address, bits))
        });
        Self { text, network, range: "", gateway: "", auxiliary: Map::new() }
    }

    fn contains(&self, address: IpAddr) -> bool {
        let Some((network, bits)) = self.network else { return false };
        match (network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differ = network.to_bits() ^ address.to_bits();
                differ.checked_shr(32 - u32::from(bits)).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differ = network.to_bits() ^ address.to_bits();
                differ.checked_shr(128 - u32::from(bits)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        let within = |a: &Self, b: &Self| b.network.is_some_and(|(address, _)| a.contains(address));
        within(self, other) || within(other, self)
    }

    fn into_json(self) -> Value {
        let mut json = json!({"Subnet": self.text});
        if !self.range.is_empty() {
            json["IPRange"] = self.range.into();
        }
        if !self.gateway.is_empty() {
            json["Gateway"] = self.gateway.into();
        }
        if !self.auxiliary.is_empty() {
            json["AuxiliaryAddresses"] = Value::Object(self.auxiliary);
        }
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn error(subnets: &[&str], ranges: &[&str], gateways: &[&str], aux: &[(&str, &str)]) -> String {
        let aux: Vec<_> = aux.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        config(&texts(subnets), &texts(ranges), &texts(gateways), &aux).unwrap_err().to_string()
    }

    #[test]
    fn everything_goes_to_its_subnet() {
        let aux = [("router".to_owned(), "10.9.0.9".to_owned())];
        let config = config(
            &texts(&["10.9.0.0/24", "fd00::/64"]),
            &texts(&["10.9.0.128/25"]),
            &texts(&["fd00::1", "10.9.0.1"]),
            &aux,
        );
        assert_eq!(
            config.unwrap(),
            json!([
                {"Subnet": "10.9.0.0/24", "IPRange": "10.9.0.128/25", "Gateway": "10.9.0.1",
                 "AuxiliaryAddresses": {"router": "10.9.0.9"}},
                {"Subnet": "fd00::/64", "Gateway": "fd00::1"}
            ])
        );
    }

    #[test]
    fn errors_are_dockers() {
        assert_eq!(
            error(&["10.9.0.0/24"], &[], &["10.9.1.1"], &[]),
            "no matching subnet for gateway 10.9.1.1"
        );
        assert_eq!(
            error(&[], &[], &["10.9.1.1"], &[]),
            "every ip-range or gateway must have a corresponding subnet"
        );
        assert_eq!(error(&[], &[], &[], &[("a", "")]), "no matching subnet for aux-address ");
        assert_eq!(
            error(&["10.9.0.0/24", "10.9.0.0/25"], &[], &[], &[]),
            "multiple overlapping subnet configuration is not supported"
        );
        assert_eq!(
            error(&["10.9.0.0/24", "10.8.0.0/24"], &[], &["10.9.0.1", "10.9.0.2"], &[]),
            "cannot configure multiple gateways (10.9.0.2, 10.9.0.1) on the same subnet (10.9.0.0/24)"
        );
    }

    #[test]
    fn the_engine_judges_subnets() {
        assert_eq!(config(&texts(&["foo"]), &[], &[], &[]).unwrap(), json!([{"Subnet": "foo"}]));
        assert_eq!(
            config(&texts(&["0.0.0.0/0"]), &[], &texts(&["1.2.3.4"]), &[]).unwrap()[0]["Gateway"],
            "1.2.3.4"
        );
    }
}
