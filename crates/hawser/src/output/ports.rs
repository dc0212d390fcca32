//! The column PORTS of `ps`.

use serde_json::Value;

/// A port of a container.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Port {
    private: u64,
    ip: String,
    public: u64,
    protocol: String,
}

/// Ports that follow one another, and are published under their own number or not at all.
struct Range {
    ip: String,
    protocol: String,
    first: u64,
    last: u64,
}

/// Writes the `Ports` of a container's summary in one line, ranges folded.
pub fn column(ports: &Value) -> String {
    let mut ports: Vec<Port> = ports.as_array().into_iter().flatten().map(port).collect();
    ports.sort();
    let mut open: Vec<Range> = Vec::new();
    let mut done = Vec::new();
    let mut mapped = Vec::new();
    for port in ports {
        if !port.ip.is_empty() && port.public != port.private {
            let host = join(&port.ip, &port.public.to_string());
            mapped.push(format!("{host}->{}/{}", port.private, port.protocol));
            continue;
        }
        let same = |range: &&mut Range| range.ip == port.ip && range.protocol == port.protocol;
        match open.iter_mut().find(same) {
            Some(range) if range.last + 1 == port.private => range.last = port.private,
            Some(range) => {
                done.push(range.to_string());
                (range.first, range.last) = (port.private, port.private);
            }
            None => open.push(Range {
                ip: port.ip,
                protocol: port.protocol,
                first: port.private,
                last: port.private,
            }),
        }
    }
    done.extend(open.iter().map(ToString::to_string));
    done.extend(mapped);
    done.join(", ")
}

fn port(json: &Value) -> Port {
    let number = |key: &str| json[key].as_u64().unwrap_or(0);
    let text = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
    Port {
        private: number("PrivatePort"),
        ip: text("IP"),
        public: number("PublicPort"),
        protocol: text("Type"),
    }
}

/// `host:port`, with brackets around an IPv6 address.
pub fn join(ip: &str, port: &str) -> String {
    if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ports = match self.first == self.last {
            true => self.first.to_string(),
            false => format!("{}-{}", self.first, self.last),
        };
        if self.ip.is_empty() {
            return write!(f, "{ports}/{}", self.protocol);
        }
        write!(f, "{}->{ports}/{}", join(&self.ip, &ports), self.protocol)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn published(ip: &str, private: u64, public: u64) -> Value {
        json!({"IP": ip, "PrivatePort": private, "PublicPort": public, "Type": "tcp"})
    }

    #[test]
    fn folds_ranges() {
        let exposed = |port: u64| json!({"PrivatePort": port, "Type": "tcp"});
        assert_eq!(column(&json!([exposed(81), exposed(80), exposed(90)])), "80-81/tcp, 90/tcp");
        assert_eq!(
            column(&json!([published("0.0.0.0", 80, 80), published("0.0.0.0", 81, 81)])),
            "0.0.0.0:80-81->80-81/tcp"
        );
    }

    #[test]
    fn lists_mapped_ports_one_by_one_and_last() {
        let ports = json!([
            published("0.0.0.0", 80, 8080),
            published("::", 80, 8080),
            {"PrivatePort": 90, "Type": "udp"}
        ]);
        assert_eq!(column(&ports), "90/udp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp");
        assert_eq!(column(&Value::Null), "");
    }
}
