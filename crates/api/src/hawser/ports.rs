//! `GET /hawser/ports`: every published port, and who can reach it.

use axum::extract::State;
use hawser_engine::network::PublishedPort;
use serde_json::{Value, json};

use crate::Shared;
use crate::answer;
use crate::error::Result;

pub async fn handle(State(engine): Shared) -> Result {
    let found = engine.published_ports().await?;
    let ports: Vec<Value> = found.ports.iter().map(port).collect();
    Ok(answer::ok(&json!({"Ports": ports, "Warnings": found.warnings})))
}

fn port(port: &PublishedPort) -> Value {
    json!({
        "ContainerId": port.container_id,
        "Container": port.container,
        "ContainerPort": port.container_port,
        "Protocol": port.protocol,
        "Address": port.address,
        "Port": port.port,
        "From": port.from,
        "By": port.by,
        "Relayed": port.relayed,
    })
}
