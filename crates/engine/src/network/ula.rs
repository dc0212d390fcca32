//! The engine's own IPv6 block, for networks that ask for IPv6 without a subnet.
//!
//! In: the store. Out: a /48 of unique local addresses (RFC 4193): drawn once, the same ever after.

use std::net::Ipv6Addr;

use hawser_model::DefaultPool;
use hawser_store::{Embedded, Store, Transaction};
use ipnet::{IpNet, Ipv6Net};

use crate::engine::system;
use crate::error::Result;

const KEY: &str = "engine/ula";
/// Prefix length of each network, which stateless autoconfiguration needs (RFC 4862).
const NETWORK: u8 = 64;

/// The block that IPv6 networks are cut from, if the daemon was told no other.
///
/// # Errors
/// The store can't be read or written, or holds what is no block.
pub(super) fn pool(store: &Embedded) -> Result<DefaultPool> {
    let kept = store.get(KEY).map_err(|e| system("read the engine's IPv6 block", e))?;
    let base: Ipv6Net = match kept {
        Some(entry) => serde_json::from_slice(&entry.value)
            .map_err(|e| system(&format!("read record {KEY}"), e))?,
        None => draw(store)?,
    };
    Ok(DefaultPool { base: IpNet::V6(base), size: NETWORK })
}

fn draw(store: &Embedded) -> Result<Ipv6Net> {
    let base = block(rand::random());
    let value = serde_json::to_vec(&base).map_err(|e| system("write a record", e))?;
    let kept = store.commit(Transaction::new().put(KEY, value));
    kept.map_err(|e| system("keep the engine's IPv6 block", e))?;
    Ok(base)
}

/// `fd`, 40 random bits, and the rest for networks and hosts (RFC 4193, 3.1).
fn block(random: [u8; 5]) -> Ipv6Net {
    let mut octets = [0; 16];
    octets[0] = 0xfd;
    octets[1..6].copy_from_slice(&random);
    Ipv6Net::new_assert(Ipv6Addr::from(octets), 48)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_is_drawn_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        let first = pool(&Embedded::open(&path).unwrap()).unwrap();
        assert_eq!((first.size, first.base.prefix_len()), (64, 48));
        assert!(first.base.to_string().starts_with("fd"));
        assert_eq!(pool(&Embedded::open(&path).unwrap()).unwrap(), first);
    }

    #[test]
    fn a_block_is_unique_and_local() {
        let base = block([0x12, 0x34, 0x56, 0x78, 0x9a]);
        assert_eq!(base.to_string(), "fd12:3456:789a::/48");
        assert!(base.addr().is_unique_local());
    }
}
