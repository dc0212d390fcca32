//! Puts `--subnet`, `--ip-range`, `--gateway` and `--aux-address` together: each range, gateway
//! and address goes to the subnet that it is in.
//!
//! Whether a subnet is well-formed is the engine's to say, unless something must be compared
//! with it.

use std::net::IpAddr;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::parse::Invalid;
use crate::parse::flags::{self, Several};

/// A subnet as it was written, and what it means if it means something.
struct Pool<'a> {
    text: &'a str,
    network: Option<Prefix>,
    range: &'a str,
    gateway: &'a str,
    auxiliary: Map<String, Value>,
}

/// Flags that describe the addresses of a network.
#[derive(Args, Default)]
pub struct PoolOptions {
    /// Address that is somebody else's (NAME=ADDRESS)
    #[arg(long)]
    aux_address: Vec<String>,
    /// Gateway of the subnet
    #[arg(long, value_parser = flags::several)]
    gateway: Vec<Several>,
    /// Give addresses of this part of the subnet only, unless asked for one
    #[arg(long, value_parser = flags::several)]
    ip_range: Vec<Several>,
    /// Subnet, such as 10.1.0.0/24; 0.0.0.0/24 for any of that size
    #[arg(long, value_parser = flags::several)]
    subnet: Vec<Several>,
}

/// The API's `IPAM.Config`.
pub fn config(options: &PoolOptions) -> Result<Value, Invalid> {
    let all = |flag: &[Several]| flag.iter().cloned().flatten().collect::<Vec<_>>();
    let pair = |text: &String| {
        let (name, address) = text.split_once('=').unwrap_or((text, ""));
        (name.to_owned(), address.to_owned())
    };
    let auxiliary: Vec<_> = options.aux_address.iter().map(pair).collect();
    assign(&all(&options.subnet), &all(&options.ip_range), &all(&options.gateway), &auxiliary)
}

fn assign(
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
        for other in &pools {
            if pool.overlaps(other)? {
                return Err(Invalid::new(
                    "multiple overlapping subnet configuration is not supported",
                ));
            }
        }
        pools.push(pool);
    }
    for range in ranges {
        let first = Prefix::parse(range).ok_or_else(|| no_cidr(range))?.address;
        let pool = find(&mut pools, Some(first), &format!("range {range}"))?;
        set(&mut pool.range, range, "ranges", &format!("on the same subnet ({})", pool.text))?;
    }
    for gateway in gateways {
        let pool = find(&mut pools, address(gateway), &format!("gateway {gateway}"))?;
        let subnet = format!("for the same subnet ({})", pool.text);
        set(&mut pool.gateway, gateway, "gateways", &subnet)?;
    }
    for (name, text) in auxiliary {
        let pool = find(&mut pools, address(text), &format!("aux-address {text}"))?;
        pool.auxiliary.insert(name.clone(), text.as_str().into());
    }
    Ok(Value::Array(pools.into_iter().map(Pool::into_json).collect()))
}

fn find<'a, 'b>(
    pools: &'a mut [Pool<'b>],
    address: Option<IpAddr>,
    what: &str,
) -> Result<&'a mut Pool<'b>, Invalid> {
    for pool in pools {
        if pool.contains(address)? {
            return Ok(pool);
        }
    }
    Err(Invalid(format!("no matching subnet for {what}")))
}

fn set<'a>(slot: &mut &'a str, value: &'a str, what: &str, subnet: &str) -> Result<(), Invalid> {
    if !slot.is_empty() {
        return Err(Invalid(format!(
            "cannot configure multiple {what} ({value}, {slot}) {subnet}"
        )));
    }
    *slot = value;
    Ok(())
}

fn no_cidr(text: &str) -> Invalid {
    Invalid(format!("invalid CIDR address: {text}"))
}

/// An address; one of IPv4 in an IPv6 coat is one of IPv4.
fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// An address and how many of its bits are the network's.
#[derive(Clone, Copy)]
struct Prefix {
    address: IpAddr,
    bits: u8,
}

impl Prefix {
    fn parse(text: &str) -> Option<Self> {
        let (written, bits) = text.split_once('/')?;
        let bits: u8 = bits.parse().ok().filter(|_| !bits.starts_with('+'))?;
        match written.parse().ok()? {
            IpAddr::V4(address) if bits <= 32 => Some(Self { address: address.into(), bits }),
            IpAddr::V6(address) if bits <= 128 => {
                let bare = address.to_ipv4_mapped().map(IpAddr::from).zip(bits.checked_sub(96));
                let (address, bits) = bare.unwrap_or((address.into(), bits));
                Some(Self { address, bits })
            }
            _ => None,
        }
    }

    fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differ = network.to_bits() ^ address.to_bits();
                differ.checked_shr(32 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differ = network.to_bits() ^ address.to_bits();
                differ.checked_shr(128 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl<'a> Pool<'a> {
    fn new(text: &'a str) -> Self {
        let network = Prefix::parse(text);
        Self { text, network, range: "", gateway: "", auxiliary: Map::new() }
    }

    fn contains(&self, address: Option<IpAddr>) -> Result<bool, Invalid> {
        let network = self
            .network
            .ok_or_else(|| Invalid(format!("invalid subnet: {}", no_cidr(self.text))))?;
        Ok(address.is_some_and(|address| network.contains(address)))
    }

    fn overlaps(&self, other: &Self) -> Result<bool, Invalid> {
        let first = |pool: &Self| pool.network.map(|network| network.address);
        Ok(self.contains(first(other))? | other.contains(first(self))?)
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
        assign(&texts(subnets), &texts(ranges), &texts(gateways), &aux).unwrap_err().to_string()
    }

    #[test]
    fn everything_goes_to_its_subnet() {
        let aux = [("router".to_owned(), "10.9.0.9".to_owned())];
        let config = assign(
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
            "cannot configure multiple gateways (10.9.0.2, 10.9.0.1) for the same subnet (10.9.0.0/24)"
        );
    }

    #[test]
    fn an_address_of_ipv4_may_wear_ipv6() {
        let pools = |subnets: &[&str], gateways: &[&str]| {
            assign(&texts(subnets), &[], &texts(gateways), &[])
        };
        assert!(pools(&["10.9.0.0/24"], &["::ffff:10.9.0.1"]).is_ok());
        assert!(pools(&["::ffff:10.9.0.0/120"], &["10.9.0.1"]).is_ok());
        assert!(pools(&["10.9.0.0/24", "::ffff:10.9.0.0/120"], &[]).is_err());
    }

    #[test]
    fn the_engine_judges_subnets_that_nothing_is_compared_with() {
        assert_eq!(
            error(&["foo", "bar"], &[], &[], &[]),
            "invalid subnet: invalid CIDR address: bar"
        );
        assert_eq!(
            error(&["10.9.0.0/+24"], &[], &["10.9.0.1"], &[]),
            "invalid subnet: invalid CIDR address: 10.9.0.0/+24"
        );
        assert_eq!(
            error(&["10.9.0.0/24"], &["10.9.0.3"], &[], &[]),
            "invalid CIDR address: 10.9.0.3"
        );
        assert_eq!(assign(&texts(&["foo"]), &[], &[], &[]).unwrap(), json!([{"Subnet": "foo"}]));
        assert_eq!(
            assign(&texts(&["0.0.0.0/0"]), &[], &texts(&["1.2.3.4"]), &[]).unwrap()[0]["Gateway"],
            "1.2.3.4"
        );
    }
}
