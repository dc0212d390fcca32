//! `GET /containers/{name}/stats`: what a container uses, as JSON lines.

use axum::extract::{Path, State};
use futures_util::StreamExt;
use hawser_engine::container::{Sample, Stats, StatsOptions};
use serde_json::{Map, Value, json};

use crate::Shared;
use crate::error::Result;
use crate::query::Query;
use crate::stream::Lines;
use crate::time;

pub async fn handle(State(engine): Shared, Path(name): Path<String>, query: Query) -> Result {
    let options =
        StatsOptions { stream: query.bool_or("stream", true), one_shot: query.bool("one-shot") };
    let stats = engine.container_stats(&name, options)?;
    Ok(Lines::stream(stats.map(|stats| encode(&stats))))
}

fn encode(stats: &Stats) -> Value {
    let Stats { name, id, now, before } = stats;
    let mut all = json!({
        "name": format!("/{name}"),
        "id": id,
        "read": time::rfc3339_or_zero(now.time),
        "preread": time::rfc3339_or_zero(before.time),
        "num_procs": 0,
        "pids_stats": {},
        "cpu_stats": cpu(now),
        "precpu_stats": cpu(before),
        "memory_stats": {},
        "blkio_stats": blocks(now),
        "storage_stats": {},
    });
    if now.time.is_some() {
        all["pids_stats"] = json!({"current": now.usage.pids});
        if let Some(limit) = now.usage.pids_limit {
            all["pids_stats"]["limit"] = limit.into();
        }
        all["memory_stats"] = memory(now);
        let links = now.usage.links.iter().map(|(name, link)| {
            let counters = json!({
                "rx_bytes": link.rx_bytes,
                "rx_packets": link.rx_packets,
                "rx_errors": link.rx_errors,
                "rx_dropped": link.rx_dropped,
                "tx_bytes": link.tx_bytes,
                "tx_packets": link.tx_packets,
                "tx_errors": link.tx_errors,
                "tx_dropped": link.tx_dropped,
            });
            (name.clone(), counters)
        });
        let links: Map<String, Value> = links.collect();
        if !links.is_empty() {
            all["networks"] = links.into();
        }
    }
    all
}

fn cpu(sample: &Sample) -> Value {
    let cpu = &sample.usage.cpu;
    let mut all = json!({
        "cpu_usage": {
            "total_usage": cpu.total,
            "usage_in_kernelmode": cpu.system,
            "usage_in_usermode": cpu.user,
        },
        "throttling_data": {
            "periods": cpu.periods,
            "throttled_periods": cpu.throttled_periods,
            "throttled_time": cpu.throttled,
        },
    });
    if !cpu.each.is_empty() {
        all["cpu_usage"]["percpu_usage"] = json!(cpu.each);
    }
    if sample.time.is_some() {
        all["system_cpu_usage"] = sample.host_cpu.into();
        all["online_cpus"] = sample.processors.into();
    }
    all
}

/// Without a limit the host's memory is the limit, as in Docker.
fn memory(sample: &Sample) -> Value {
    let memory = &sample.usage.memory;
    let limit = memory.limit.map_or(sample.host_memory, |limit| limit.min(sample.host_memory));
    let mut all = json!({"usage": memory.usage, "stats": memory.parts, "limit": limit});
    for (name, value) in [("max_usage", memory.most), ("failcnt", memory.failures)] {
        if let Some(value) = value {
            all[name] = value.into();
        }
    }
    all
}

fn blocks(sample: &Sample) -> Value {
    let list = |value: fn(&hawser_engine::container::BlockUsage) -> u64| -> Value {
        let one = |block: &hawser_engine::container::BlockUsage| {
            let (major, minor) = block.device;
            json!({"major": major, "minor": minor, "op": block.operation, "value": value(block)})
        };
        let all: Vec<Value> = sample.usage.blocks.iter().map(one).collect();
        if all.is_empty() { Value::Null } else { all.into() }
    };
    json!({
        "io_service_bytes_recursive": list(|block| block.bytes),
        "io_serviced_recursive": list(|block| block.requests),
        "io_queue_recursive": null,
        "io_service_time_recursive": null,
        "io_wait_time_recursive": null,
        "io_merged_recursive": null,
        "io_time_recursive": null,
        "sectors_recursive": null,
    })
}
