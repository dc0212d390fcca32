//! Where a registry is, and how it may be spoken to.
//!
//! In: the domain of an image's name, the daemon's options. Out: the places to try, in order. Plain
//! HTTP, and TLS that is not verified, are for the loopback and for registries that the options
//! name; nothing else ever gets them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;
use ipnet::IpNet;

/// The domain of short names, and the host that serves it.
const DOCKER: &str = "docker.io";
const DOCKER_HOST: &str = "registry-1.docker.io";

/// The text names no registry.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no registry: want HOST[:PORT]{1}")]
pub struct InvalidRegistry(String, &'static str);

/// Which registries may be spoken to how.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    hosts: Vec<String>,
    networks: Vec<IpNet>,
    mirrors: Vec<Place>,
}

/// Scheme, host and port of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub tls: bool,
    /// Whether its certificate is to be checked.
    pub verify: bool,
    /// Host and port, as in a URL.
    pub authority: String,
}

impl Policy {
    /// From `--insecure-registry` (`HOST[:PORT]` or a network) and `--registry-mirror` (URLs).
    ///
    /// # Errors
    /// For what is neither.
    pub fn new(insecure: &[String], mirrors: &[String]) -> Result<Self, InvalidRegistry> {
        let mut policy = Self::default();
        for text in insecure {
            let bare = text.trim_start_matches("https://").trim_start_matches("http://");
            match bare.parse::<IpNet>() {
                Ok(network) => policy.networks.push(network),
                Err(_) if bare.is_empty() || bare.contains('/') => {
                    return Err(InvalidRegistry(text.clone(), " or a network as 10.0.0.0/8"));
                }
                Err(_) => policy.hosts.push(bare.to_owned()),
            }
        }
        for text in mirrors {
            policy.mirrors.push(policy.mirror(text)?);
        }
        Ok(policy)
    }

    fn mirror(&self, text: &str) -> Result<Place, InvalidRegistry> {
        let wrong = || InvalidRegistry(text.to_owned(), " after http:// or https://, and no path");
        let uri = Uri::from_str(text).map_err(|_| wrong())?;
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong());
        }
        Place::of(&uri, self).ok_or_else(wrong)
    }

    /// Whether plain HTTP, and TLS without verification, are good enough.
    pub(crate) fn is_insecure(&self, authority: &str) -> bool {
        let host = host(authority);
        let address = host.parse::<IpAddr>().ok();
        is_loopback(host)
            || address.is_some_and(|a| self.networks.iter().any(|network| network.contains(&a)))
            || self.hosts.iter().any(|known| known == authority)
    }

    /// The mirrors of a registry's images, to be tried before it.
    pub(crate) fn mirrors(&self, domain: &str) -> &[Place] {
        if domain == DOCKER { &self.mirrors } else { &[] }
    }

    /// The places of a registry, the best first.
    pub(crate) fn places(&self, domain: &str) -> Vec<Place> {
        let authority = if domain == DOCKER { DOCKER_HOST } else { domain };
        let insecure = self.is_insecure(domain) || self.is_insecure(authority);
        let place = |tls| Place { tls, verify: !insecure, authority: authority.to_owned() };
        if insecure { vec![place(true), place(false)] } else { vec![place(true)] }
    }

    /// `HOST[:PORT]` and networks that the options name, as they were given.
    pub fn insecure(&self) -> (Vec<String>, Vec<String>) {
        (self.networks.iter().map(ToString::to_string).collect(), self.hosts.clone())
    }

    /// The mirrors as URLs.
    pub fn mirror_urls(&self) -> Vec<String> {
        self.mirrors.iter().map(|mirror| format!("{mirror}/")).collect()
    }
}

impl Place {
    /// Where a URL leads; `None` if it is none that may be followed.
    pub(crate) fn of(uri: &Uri, policy: &Policy) -> Option<Self> {
        let authority = uri.authority()?.as_str();
        if authority.contains('@') {
            return None;
        }
        let insecure = policy.is_insecure(authority);
        let tls = match uri.scheme_str()? {
            "https" => true,
            "http" if insecure => false,
            _ => return None,
        };
        Some(Self { tls, verify: !insecure, authority: authority.to_owned() })
    }

    /// Whether both are one server, however they are written.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.tls == other.tls
            && self.host().eq_ignore_ascii_case(other.host())
            && self.port() == other.port()
    }

    /// Whether this server may send us to the other: what listens on the loopback is for those
    /// who are there, and a registry elsewhere is not.
    pub(crate) fn may_send_to(&self, other: &Self) -> bool {
        is_loopback(self.host()) || !is_loopback(other.host())
    }

    /// Host without the port, and without the brackets of IPv6.
    pub(crate) fn host(&self) -> &str {
        host(&self.authority)
    }

    pub(crate) fn port(&self) -> u16 {
        let port = self.authority.rsplit_once(':').filter(|(_, port)| !port.contains(']'));
        let port = port.and_then(|(_, port)| port.parse().ok());
        port.unwrap_or(if self.tls { 443 } else { 80 })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.tls { "https" } else { "http" }, self.authority)
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.parse::<IpAddr>().map(|address| address.to_canonical());
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|a| a.is_loopback())
}

fn host(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    authority.split(':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(policy: &Policy, domain: &str) -> String {
        let places = policy.places(domain);
        let one = |place: &Place| format!("{place}{}", if place.verify { "" } else { "!" });
        places.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn plain_http_is_for_loopback_and_what_is_named() {
        let insecure = ["10.0.0.0/8", "plain.example:5000"].map(str::to_owned);
        let policy = Policy::new(&insecure, &[]).unwrap();
        assert_eq!(shown(&policy, "docker.io"), "https://registry-1.docker.io");
        assert_eq!(shown(&policy, "r.example"), "https://r.example");
        assert_eq!(shown(&policy, "plain.example"), "https://plain.example");
        assert_eq!(shown(&policy, "localhost.example"), "https://localhost.example");
        for insecure in
            ["localhost:5000", "127.8.9.1", "[::1]:5000", "10.2.3.4:1", "plain.example:5000"]
        {
            let expected = format!("https://{insecure}! http://{insecure}!");
            assert_eq!(shown(&policy, insecure), expected);
        }
        assert!(Policy::new(&["http://x/y".to_owned()], &[]).is_err());
    }

    #[test]
    fn urls_that_may_be_followed() {
        let policy = Policy::default();
        let place = |text: &str| Place::of(&text.parse().unwrap(), &policy);
        assert!(place("https://cdn.example/x").unwrap().verify);
        assert!(place("http://cdn.example/x").is_none());
        assert!(place("https://user:pw@cdn.example/x").is_none());
        assert!(place("/x").is_none());
        assert_eq!(place("http://[::1]:5000/x").unwrap().port(), 5000);
        assert_eq!(place("http://[::1]/x").unwrap().port(), 80);
        let same = |one, other| place(one).unwrap().is_same(&place(other).unwrap());
        assert!(same("https://R.example/", "https://r.example:443/x"));
        assert!(!same("https://r.example/", "https://r.example:444/x"));
        assert!(!same("http://localhost:1/", "https://localhost:1/"));
    }

    #[test]
    fn nobody_from_elsewhere_sends_us_to_the_loopback() {
        let policy = Policy::new(&["10.0.0.0/8".to_owned()], &[]).unwrap();
        let place = |text: &str| Place::of(&text.parse().unwrap(), &policy).unwrap();
        let (far, near) = (place("https://r.example/"), place("http://127.0.0.1:5000/"));
        for loopback in ["http://LocalHost:1/", "https://127.9.9.9/", "http://[::ffff:127.0.0.1]/"]
        {
            assert!(!far.may_send_to(&place(loopback)), "{loopback}");
            assert!(near.may_send_to(&place(loopback)), "{loopback}");
        }
        assert!(far.may_send_to(&place("http://10.0.0.1/")) && near.may_send_to(&far));
    }

    #[test]
    fn mirrors_are_those_of_docker() {
        let policy = Policy::new(&[], &["http://127.0.0.1:5001".to_owned()]).unwrap();
        assert_eq!(policy.mirrors("docker.io").len(), 1);
        assert!(policy.mirrors("quay.example").is_empty());
        for wrong in ["http://far.example", "127.0.0.1", "https://x.example/path"] {
            assert!(Policy::new(&[], &[wrong.to_owned()]).is_err(), "{wrong}");
        }
    }
}
