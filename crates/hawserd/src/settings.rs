//! From options to the engine's settings: defaults, and checks of every value.
//!
//! In: [`Options`]. Out: [`Settings`], or what is wrong with an option. What the host can do with
//! them is the engine's to find out.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use hawser_engine::Settings;
use hawser_engine::settings::{DefaultBridge, RegistryPolicy, RuntimeSetting, Sources};

use crate::options::Options;
use crate::values;

/// Lasting state.
const DATA_ROOT: &str = "/var/lib/hawser";
/// State of this boot.
const EXEC_ROOT: &str = "/run/hawser";
/// The default bridge's link.
const BRIDGE: &str = "hawser0";
/// The OCI runtime.
const RUNTIME: &str = "crun";
/// Longest name of a link.
const LINK_NAME: usize = 15;

/// An option with a value that makes no sense.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("invalid {option}: {why}")]
pub struct Invalid {
    option: &'static str,
    why: String,
}

fn invalid(option: &'static str, why: impl Display) -> Invalid {
    Invalid { option, why: why.to_string() }
}

/// Reads a value, or says of which option it is.
fn parse<T: FromStr<Err: Display>>(option: &'static str, text: &str) -> Result<T, Invalid> {
    text.parse().map_err(|error| invalid(option, format!("{text:?}: {error}")))
}

/// Directory of this boot's state.
pub fn exec_root(options: &Options) -> PathBuf {
    options.exec_root.clone().unwrap_or_else(|| EXEC_ROOT.into())
}

/// The engine's settings.
pub fn settings(options: &Options) -> Result<Settings, Invalid> {
    let data_root = options.data_root.clone().unwrap_or_else(|| DATA_ROOT.into());
    for (option, path) in [("data-root", &data_root), ("exec-root", &exec_root(options))] {
        if !path.is_absolute() {
            return Err(invalid(option, format!("{}: not an absolute path", path.display())));
        }
    }
    let runtimes = runtimes(options);
    let default_runtime = options.default_runtime.clone().unwrap_or_else(|| RUNTIME.to_owned());
    if !runtimes.contains_key(&default_runtime) {
        return Err(invalid("default-runtime", format!("{default_runtime:?} is not a runtime")));
    }
    Ok(Settings {
        data_root,
        exec_root: exec_root(options),
        bridge: bridge(options)?,
        address_pools: pools(options)?,
        publish_address: options.ip.filter(|address| !address.is_unspecified()),
        publish_policy: publish_policy(options)?,
        mtu: options.mtu.unwrap_or(0),
        dns: dns(options)?,
        dns_search: options.dns_search.clone(),
        dns_options: options.dns_opts.clone(),
        dns_cache: options.dns_cache.unwrap_or(true),
        runtimes,
        default_runtime,
        labels: labels(options)?,
        default_shm_size: shm_size(options)?,
        default_ipc_mode: ipc_mode(options)?,
        init: options.init.unwrap_or(false),
        debug: debug(options),
        host_gateway: host_gateway(options)?,
        registries: registries(options)?,
        firewall_lock: options.firewall_lock.unwrap_or(true),
    })
}

/// Whether the log has everything.
pub fn debug(options: &Options) -> bool {
    options.debug.unwrap_or(false) || options.log_level.as_deref() == Some("debug")
}

fn bridge(options: &Options) -> Result<DefaultBridge, Invalid> {
    let existing = options.bridge.as_deref().filter(|name| *name != "none");
    if existing.is_some() && options.bip.is_some() {
        // dockerd's words.
        return Err(invalid(
            "bridge",
            "You specified -b & --bip, mutually exclusive options. Please specify only one",
        ));
    }
    if options.bridge.is_some() && options.bridge_name.is_some() {
        return Err(invalid(
            "bridge",
            "--bridge names a bridge that is there, --bridge-name one to make: give one of them",
        ));
    }
    let name = existing.or(options.bridge_name.as_deref()).unwrap_or(BRIDGE);
    if name.is_empty() || name.len() > LINK_NAME || name.contains(['/', ' ']) {
        return Err(invalid("bridge-name", format!("{name:?} is no name of a link")));
    }
    let bip = options.bip.as_deref().map(|text| parse("bip", text)).transpose()?;
    let fixed_cidr = options.fixed_cidr.as_deref().map(|text| parse("fixed-cidr", text));
    let bip6 = options.bip6.as_deref().map(|text| parse("bip6", text)).transpose()?;
    let fixed_cidr_v6 = options.fixed_cidr_v6.as_deref().map(|text| parse("fixed-cidr-v6", text));
    let gateway_v6 = match options.default_gateway_v6 {
        Some(IpAddr::V4(_)) => return Err(invalid("default-gateway-v6", "want an IPv6 address")),
        other => other,
    };
    Ok(DefaultBridge {
        disabled: options.bridge.as_deref() == Some("none"),
        name: name.to_owned(),
        existing: existing.is_some(),
        bip,
        fixed_cidr: fixed_cidr.transpose()?,
        gateway: options.default_gateway,
        ipv6: options.ipv6.unwrap_or(false),
        bip6,
        fixed_cidr_v6: fixed_cidr_v6.transpose()?,
        gateway_v6,
        icc: options.icc.unwrap_or(true),
        masquerade: options.ip_masq.unwrap_or(true),
    })
}

fn pools(options: &Options) -> Result<Vec<(ipnet::IpNet, u8)>, Invalid> {
    let pool = |pool: &values::Pool| {
        let base: ipnet::IpNet = parse("default-address-pool", &pool.base)?;
        if pool.size < base.prefix_len() || pool.size > base.max_prefix_len() {
            let why = format!("networks of /{} do not fit into {base}", pool.size);
            return Err(invalid("default-address-pool", why));
        }
        Ok((base.trunc(), pool.size))
    };
    options.default_address_pools.iter().map(pool).collect()
}

fn publish_policy(options: &Options) -> Result<Sources, Invalid> {
    let policy = options.publish_policy.as_deref().unwrap_or("any");
    parse("publish-policy", policy)
}

fn dns(options: &Options) -> Result<Vec<String>, Invalid> {
    for server in &options.dns {
        let address = server.split('%').next().unwrap_or_default();
        parse::<IpAddr>("dns", address)?;
    }
    Ok(options.dns.clone())
}

fn runtimes(options: &Options) -> BTreeMap<String, RuntimeSetting> {
    // Known without being told; one that is not installed is missed when a container asks for it.
    let own = [RUNTIME, "runc"]
        .map(|name| (name.to_owned(), RuntimeSetting { path: name.to_owned(), args: Vec::new() }));
    let given = options.runtimes.iter().map(|(name, runtime)| {
        let args = runtime.runtime_args.clone();
        (name.clone(), RuntimeSetting { path: runtime.path.clone(), args })
    });
    own.into_iter().chain(given).collect()
}

fn labels(options: &Options) -> Result<Vec<String>, Invalid> {
    for label in &options.labels {
        let (key, _) = label.split_once('=').unwrap_or_default();
        if key.is_empty() {
            return Err(invalid("label", format!("{label:?}, want key=value")));
        }
    }
    Ok(options.labels.clone())
}

fn shm_size(options: &Options) -> Result<i64, Invalid> {
    let text = options.default_shm_size.as_deref().unwrap_or("64MiB");
    values::bytes(text).map_err(|why| invalid("default-shm-size", why))
}

fn ipc_mode(options: &Options) -> Result<String, Invalid> {
    match options.default_ipc_mode.as_deref().unwrap_or("private") {
        mode @ ("private" | "shareable") => Ok(mode.to_owned()),
        other => Err(invalid("default-ipc-mode", format!("{other:?}, want private or shareable"))),
    }
}

fn registries(options: &Options) -> Result<RegistryPolicy, Invalid> {
    // The insecure ones by themselves first, so that the error names the right option.
    RegistryPolicy::new(&options.insecure_registries, &[])
        .map_err(|why| invalid("insecure-registry", why))?;
    RegistryPolicy::new(&options.insecure_registries, &options.registry_mirrors)
        .map_err(|why| invalid("registry-mirror", why))
}

fn host_gateway(options: &Options) -> Result<Option<IpAddr>, Invalid> {
    let first = options.host_gateway_ips.first();
    first.map(|text| parse("host-gateway-ip", text)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_dockers() {
        let settings = settings(&Options::default()).unwrap();
        assert_eq!(settings.data_root, PathBuf::from("/var/lib/hawser"));
        assert_eq!(settings.exec_root, PathBuf::from("/run/hawser"));
        assert_eq!(settings.bridge.name, "hawser0");
        assert!(settings.bridge.icc && settings.bridge.masquerade && !settings.bridge.disabled);
        assert_eq!(settings.default_shm_size, 64 << 20);
        assert_eq!(settings.default_runtime, "crun");
        assert!(["crun", "runc"].iter().all(|name| settings.runtimes.contains_key(*name)));
    }

    #[test]
    fn bridges_are_own_or_others() {
        let of = |options: Options| settings(&options).map(|s| s.bridge);
        let own = of(Options { bridge_name: Some("docker0".into()), ..Options::default() });
        assert!(own.is_ok_and(|b| b.name == "docker0" && !b.existing));
        let other = of(Options { bridge: Some("br7".into()), ..Options::default() });
        assert!(other.is_ok_and(|b| b.name == "br7" && b.existing));
        let none = of(Options { bridge: Some("none".into()), ..Options::default() });
        assert!(none.is_ok_and(|b| b.disabled && !b.existing));
        let both = Options {
            bridge: Some("br7".into()),
            bip: Some("10.0.0.1/24".into()),
            ..Options::default()
        };
        assert!(of(both).is_err());
    }

    #[test]
    fn wrong_values_name_their_option() {
        let cases: [(&str, Options); 11] = [
            (
                "insecure-registry",
                Options { insecure_registries: vec!["a/b".into()], ..Options::default() },
            ),
            (
                "registry-mirror",
                Options {
                    registry_mirrors: vec!["http://far.example".into()],
                    ..Options::default()
                },
            ),
            ("publish-policy", Options { publish_policy: Some("x".into()), ..Options::default() }),
            ("bip", Options { bip: Some("10.0.0.1".into()), ..Options::default() }),
            ("dns", Options { dns: vec!["x".into()], ..Options::default() }),
            ("label", Options { labels: vec!["x".into()], ..Options::default() }),
            ("data-root", Options { data_root: Some("x".into()), ..Options::default() }),
            (
                "default-runtime",
                Options { default_runtime: Some("x".into()), ..Options::default() },
            ),
            (
                "default-ipc-mode",
                Options { default_ipc_mode: Some("x".into()), ..Options::default() },
            ),
            ("bridge-name", Options { bridge_name: Some("x".repeat(16)), ..Options::default() }),
            (
                "default-address-pool",
                Options {
                    default_address_pools: vec!["base=10.0.0.0/24,size=16".parse().unwrap()],
                    ..Options::default()
                },
            ),
        ];
        for (option, options) in cases {
            let error = settings(&options).unwrap_err().to_string();
            assert!(error.starts_with(&format!("invalid {option}: ")), "{error}");
        }
    }
}
