//! How the container is attached to its networks: the API's `EndpointsConfig`.

use serde_json::{Map, Value};

use crate::container::options::NetworkOptions;
use crate::parse::Invalid;
use crate::parse::endpoint::{Attachment, mac};

/// The endpoints that the flags ask for. `--ip` and its like belong to the first network.
pub(super) fn endpoints(options: &NetworkOptions) -> Result<Value, Invalid> {
    let mut attachments = options.network.clone();
    if attachments.is_empty() {
        attachments.push(Attachment { target: "default".to_owned(), ..Attachment::default() });
    }
    let user_defined = attachments.iter().filter(|one| one.is_user_defined()).count();
    let mut endpoints = Map::new();
    let only = options.network.len() == 1;
    for (index, attachment) in attachments.iter_mut().enumerate() {
        if index == 0 {
            apply(options, attachment)?;
        }
        check(attachment)?;
        if endpoints.contains_key(&attachment.target) {
            return Err(Invalid(format!(
                "network {:?} is specified multiple times",
                attachment.target
            )));
        }
        let settings = attachment.to_json();
        if only && settings.is_empty() {
            continue;
        }
        endpoints.insert(attachment.target.clone(), Value::Object(settings));
    }
    if user_defined > 0 && user_defined < attachments.len() {
        return Err(Invalid::new(
            "conflicting options: cannot attach both user-defined and non-user-defined network-modes",
        ));
    }
    Ok(Value::Object(endpoints))
}

fn apply(options: &NetworkOptions, to: &mut Attachment) -> Result<(), Invalid> {
    let conflict =
        |what: &str| Err(Invalid(format!("conflicting options: cannot specify both {what}")));
    if !options.network_alias.is_empty() && !to.aliases.is_empty() {
        return conflict("--network-alias and per-network alias");
    }
    if !options.link.is_empty() && !to.links.is_empty() {
        return conflict("--link and per-network links");
    }
    if !options.ip.is_empty() && !to.ipv4.is_empty() {
        return conflict("--ip and per-network IPv4 address");
    }
    if !options.ip6.is_empty() && !to.ipv6.is_empty() {
        return conflict("--ip6 and per-network IPv6 address");
    }
    if !options.mac_address.is_empty() && !to.mac.is_empty() {
        return conflict("--mac-address and per-network MAC address");
    }
    if !options.link_local_ip.is_empty() && !to.link_local.is_empty() {
        return conflict("--link-local-ip and per-network link-local IP addresses");
    }
    to.aliases.extend(options.network_alias.iter().cloned());
    to.link_local.extend(options.link_local_ip.iter().cloned());
    // On the default bridge links are the host's affair (environment, hosts file).
    if to.is_user_defined() {
        to.links.extend(options.link.iter().cloned());
    }
    for (slot, value) in [
        (&mut to.ipv4, &options.ip),
        (&mut to.ipv6, &options.ip6),
        (&mut to.mac, &options.mac_address),
    ] {
        if !value.is_empty() {
            value.clone_into(slot);
        }
    }
    Ok(())
}

fn check(attachment: &Attachment) -> Result<(), Invalid> {
    if attachment.target.trim().is_empty() {
        return Err(Invalid::new("no name set for network"));
    }
    if !attachment.mac.is_empty() {
        mac(attachment.mac.trim())?;
    }
    if attachment.is_user_defined() {
        return Ok(());
    }
    if !attachment.aliases.is_empty() {
        return Err(Invalid::new(
            "network-scoped aliases are only supported for user-defined networks",
        ));
    }
    if !attachment.links.is_empty() {
        return Err(Invalid::new("links are only supported for user-defined networks"));
    }
    Ok(())
}
