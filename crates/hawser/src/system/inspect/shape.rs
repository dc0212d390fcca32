//! The types that Docker's Go client decodes its answers into.
//!
//! In: JSON. Out: a [`Value`] with the fields that Docker's types have, by Go's names and in
//! their order, and zero values where the JSON says nothing. Templates depend on it:
//! `{{.State.Health}}` must be nil where there is no health check, not an error.
//!
//! The types are written down as text, one to a line: `Name: Field:type …`, where a field
//! whose name in JSON differs is `Field=Json:type`, and a type is `s`tring, `i`nteger, `u`nsigned,
//! `b`oolean, `t`ime, `a`nything, another line's name, or one of these after `*` (pointer),
//! `[]` (slice) or `{}` (map from strings).

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value as Json;

use crate::output::human;
use crate::template::{Map, Struct, Value};

const TYPES: &str = "\
Container: ID=Id:s Created:s Path:s Args:[]s State:*State Image:s ResolvConfPath:s HostnamePath:s HostsPath:s LogPath:s Name:s RestartCount:i Driver:s Platform:s MountLabel:s ProcessLabel:s AppArmorProfile:s ExecIDs:[]s HostConfig:*HostConfig GraphDriver:GraphDriver SizeRw:*i SizeRootFs:*i Mounts:[]Mount Config:*Config NetworkSettings:*NetworkSettings
State: Status:s Running:b Paused:b Restarting:b OOMKilled:b Dead:b Pid:i ExitCode:i Error:s StartedAt:s FinishedAt:s Health:*Health
Health: Status:s FailingStreak:i Log:[]*HealthLog
HealthLog: Start:t End:t ExitCode:i Output:s
GraphDriver: Data:{}s Name:s
Mount: Type:s Name:s Source:s Destination:s Driver:s Mode:s RW:b Propagation:s
Config: Hostname:s Domainname:s User:s AttachStdin:b AttachStdout:b AttachStderr:b ExposedPorts:{}Empty Tty:b OpenStdin:b StdinOnce:b Env:[]s Cmd:[]s Healthcheck:*Healthcheck ArgsEscaped:b Image:s Volumes:{}Empty WorkingDir:s Entrypoint:[]s NetworkDisabled:b MacAddress:s OnBuild:[]s Labels:{}s StopSignal:s StopTimeout:*i Shell:[]s
Healthcheck: Test:[]s Interval:i Timeout:i StartPeriod:i StartInterval:i Retries:i
Empty:
HostConfig: Binds:[]s ContainerIDFile:s LogConfig:LogConfig NetworkMode:s PortBindings:{}[]PortBinding RestartPolicy:RestartPolicy AutoRemove:b VolumeDriver:s VolumesFrom:[]s ConsoleSize:[]i Annotations:{}s CapAdd:[]s CapDrop:[]s CgroupnsMode:s DNS=Dns:[]s DNSOptions=DnsOptions:[]s DNSSearch=DnsSearch:[]s ExtraHosts:[]s GroupAdd:[]s IpcMode:s Cgroup:s Links:[]s OomScoreAdj:i PidMode:s Privileged:b PublishAllPorts:b ReadonlyRootfs:b SecurityOpt:[]s StorageOpt:{}s Tmpfs:{}s UTSMode:s UsernsMode:s ShmSize:i Sysctls:{}s Runtime:s Isolation:s CPUShares=CpuShares:i Memory:i NanoCPUs=NanoCpus:i CgroupParent:s BlkioWeight:i BlkioWeightDevice:[]*a BlkioDeviceReadBps:[]*a BlkioDeviceWriteBps:[]*a BlkioDeviceReadIOps:[]*a BlkioDeviceWriteIOps:[]*a CPUPeriod=CpuPeriod:i CPUQuota=CpuQuota:i CPURealtimePeriod=CpuRealtimePeriod:i CPURealtimeRuntime=CpuRealtimeRuntime:i CpusetCpus:s CpusetMems:s Devices:[]Device DeviceCgroupRules:[]s DeviceRequests:[]a MemoryReservation:i MemorySwap:i MemorySwappiness:*i OomKillDisable:*b PidsLimit:*i Ulimits:[]*Ulimit CPUCount=CpuCount:i CPUPercent=CpuPercent:i IOMaximumIOps:i IOMaximumBandwidth:i Mounts:[]HostMount MaskedPaths:[]s ReadonlyPaths:[]s Init:*b
HostMount: Type:s Source:s Target:s ReadOnly:b Consistency:s BindOptions:*a VolumeOptions:*a ImageOptions:*a TmpfsOptions:*a ClusterOptions:*a
LogConfig: Type:s Config:{}s
RestartPolicy: Name:s MaximumRetryCount:i
Device: PathOnHost:s PathInContainer:s CgroupPermissions:s
Ulimit: Name:s Hard:i Soft:i
PortBinding: HostIP=HostIp:s HostPort:s
NetworkSettings: Bridge:s SandboxID:s SandboxKey:s Ports:{}[]PortBinding HairpinMode:b LinkLocalIPv6Address:s LinkLocalIPv6PrefixLen:i SecondaryIPAddresses:[]a SecondaryIPv6Addresses:[]a EndpointID:s Gateway:s GlobalIPv6Address:s GlobalIPv6PrefixLen:i IPAddress:s IPPrefixLen:i IPv6Gateway:s MacAddress:s Networks:{}*Endpoint
Endpoint: IPAMConfig:*EndpointIPAM Links:[]s Aliases:[]s MacAddress:s DriverOpts:{}s GwPriority:i NetworkID:s EndpointID:s Gateway:s IPAddress:s IPPrefixLen:i IPv6Gateway:s GlobalIPv6Address:s GlobalIPv6PrefixLen:i DNSNames:[]s
EndpointIPAM: IPv4Address:s IPv6Address:s LinkLocalIPs:[]s
Network: Name:s ID=Id:s Created:t Scope:s Driver:s EnableIPv4:b EnableIPv6:b IPAM:IPAM Internal:b Attachable:b Ingress:b ConfigFrom:ConfigFrom ConfigOnly:b Containers:{}Attached Options:{}s Labels:{}s Peers:[]a Services:{}a Status:*NetworkStatus
NetworkStatus: IPAM:IPAMStatus
IPAMStatus: Subnets:{}SubnetStatus
SubnetStatus: IPsInUse:u DynamicIPsAvailable:u
IPAM: Driver:s Options:{}s Config:[]Pool
Pool: Subnet:s IPRange:s Gateway:s AuxAddress=AuxiliaryAddresses:{}s
ConfigFrom: Network:s
Attached: Name:s EndpointID:s MacAddress:s IPv4Address:s IPv6Address:s
Image: ID=Id:s RepoTags:[]s RepoDigests:[]s Parent:s Comment:s Created:s DockerVersion:s Author:s Config:*ImageConfig Architecture:s Variant:s Os:s OsVersion:s Size:i GraphDriver:GraphDriver RootFS:RootFS Metadata:Metadata
ImageConfig: User:s ExposedPorts:{}Empty Env:[]s Entrypoint:[]s Cmd:[]s Volumes:{}Empty WorkingDir:s Labels:{}s StopSignal:s ArgsEscaped:b Healthcheck:*Healthcheck OnBuild:[]s Shell:[]s
RootFS: Type:s Layers:[]s
Metadata: LastTagTime:t
Volume: CreatedAt:s Driver:s Labels:{}s Mountpoint:s Name:s Options:{}s Scope:s Status:{}a UsageData:*VolumeUsage
VolumeUsage: RefCount:i Size:i
Versions: Client:*ClientVersion Server:*ServerVersion
ClientVersion: Version:s APIVersion=ApiVersion:s DefaultAPIVersion:s Os:s Arch:s
ServerVersion: Platform:Platform Components:[]Component Version:s APIVersion=ApiVersion:s MinAPIVersion:s GitCommit:s GoVersion:s Os:s Arch:s KernelVersion:s Experimental:b BuildTime:s
Platform: Name:s
Component: Name:s Version:s Details:{}s
";

/// What Go would make of `json` as a value of the type called `name`.
pub fn typed(name: &str, json: &Json) -> Value {
    build(name, json)
}

fn build(kind: &str, json: &Json) -> Value {
    if let Some(target) = kind.strip_prefix('*') {
        return if json.is_null() { Value::Nil } else { build(target, json) };
    }
    if let Some(item) = kind.strip_prefix("[]") {
        return match json.as_array() {
            Some(items) => {
                Value::List(Rc::new(items.iter().map(|json| build(item, json)).collect()))
            }
            None => Value::NilList,
        };
    }
    if let Some(item) = kind.strip_prefix("{}") {
        let entries: BTreeMap<String, Value> = json
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.clone(), build(item, value)))
            .collect();
        let zero = build(item, &Json::Null);
        return Value::Map(Rc::new(Map { entries, zero, is_nil: json.is_null() }));
    }
    match kind {
        "s" => Value::text(json.as_str().unwrap_or_default()),
        "b" => Value::Bool(json.as_bool().unwrap_or_default()),
        "i" => Value::Int(json.as_i64().unwrap_or_default()),
        "u" => match json.as_u64().map(i64::try_from) {
            None => Value::Int(0),
            Some(Ok(number)) => Value::Int(number),
            // The addresses of a large IPv6 pool: to be looked at, not to be calculated with.
            Some(Err(_)) => Value::text(json.to_string()),
        },
        "t" => Value::Time {
            shown: human::rewritten_time(json.as_str().unwrap_or("0001-01-01T00:00:00Z")),
            json: json.clone(),
        },
        "a" => Value::from(json),
        name => structure(name, json),
    }
}

fn structure(name: &str, json: &Json) -> Value {
    let line = TYPES.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let fields = line.unwrap_or_default().split_whitespace().map(|field| {
        let (names, kind) = field.split_once(':').unwrap_or((field, "a"));
        let (go, key) = names.split_once('=').unwrap_or((names, names));
        (go.to_owned(), build(kind, &json[key]))
    });
    Value::Struct(Rc::new(Struct {
        name: name.to_owned(),
        fields: fields.collect(),
        json: json.clone(),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::template::{Functions, Missing, Template};

    fn shown(name: &str, template: &str, json: &Json) -> String {
        let template = Template::parse(template).unwrap();
        template.execute(&typed(name, json), Missing::NoValue, Functions::Usual).unwrap()
    }

    #[test]
    fn every_type_is_known() {
        for field in TYPES.lines().flat_map(|line| line.split_whitespace().skip(1)) {
            let kind =
                field.split_once(':').unwrap().1.trim_start_matches(['*', '[', ']', '{', '}']);
            let known = TYPES.lines().any(|line| line.split_once(':').unwrap().0 == kind);
            assert!(known || ["s", "i", "u", "b", "t", "a"].contains(&kind), "{field}");
        }
    }

    #[test]
    fn prints_as_dockers_client_does() {
        let container = json!({
            "State": {"Status": "running", "Running": true, "Pid": 10312,
                      "StartedAt": "2026-11-21T02:30:47.76Z", "FinishedAt": "0001-01-01T00:00:00Z"},
            "Config": {"Labels": {"a": "b"}, "Entrypoint": null},
            "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"},
                                                     {"HostIp": "::", "HostPort": "8080"}]}}
        });
        let at = |template| shown("Container", template, &container);
        assert_eq!(
            at("{{.State}}"),
            "{running true false false false false 10312 0  2026-11-21T02:30:47.76Z 0001-01-01T00:00:00Z <nil>}"
        );
        assert_eq!(at("{{.NetworkSettings.Ports}}"), "map[80/tcp:[{0.0.0.0 8080} {:: 8080}]]");
        assert_eq!(at("{{.Config.Labels.foo}}|{{index .Config.Labels \"foo\"}}"), "<no value>|");
        assert_eq!(at("{{.Config.Entrypoint}} {{json .Config.Entrypoint}}"), "[] null");
        assert_eq!(at("{{.Mounts}} {{len .Mounts}}"), "[] 0");
        assert_eq!(at("{{json .Config.Labels}}"), "{\"a\":\"b\"}");
    }

    #[test]
    fn networks_have_times_and_pools() {
        let network = json!({
            "Id": "1015", "Created": "2026-11-21T02:30:08.8Z",
            "Status": {"IPAM": {"Subnets": {
                "172.17.0.0/16": {"IPsInUse": 4, "DynamicIPsAvailable": 65532},
                "fd00::/64": {"IPsInUse": 3, "DynamicIPsAvailable": u64::MAX}}}},
            "IPAM": {"Driver": "default", "Options": null, "Config": [{"Subnet": "172.17.0.0/16"}]}
        });
        let at = |template| shown("Network", template, &network);
        assert_eq!(at("{{.ID}} {{.Created}}"), "1015 2026-11-21 02:30:08.8 +0000 UTC");
        assert_eq!(
            at(
                "{{range $net, $now := .Status.IPAM.Subnets}}{{$net}} {{.IPsInUse}} {{.DynamicIPsAvailable}};{{end}}"
            ),
            "172.17.0.0/16 4 65532;fd00::/64 3 18446744073709551615;"
        );
        assert_eq!(at("{{.IPAM}}"), "{default map[] [{172.17.0.0/16   map[]}]}");
        assert_eq!(
            at("{{json .IPAM}}"),
            "{\"Driver\":\"default\",\"Options\":null,\"Config\":[{\"Subnet\":\"172.17.0.0/16\"}]}"
        );
    }
}
