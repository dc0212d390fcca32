//! `GET /networks`.

use std::collections::BTreeMap;

use axum::extract::State;

use super::view::Network;
use crate::Shared;
use crate::answer;
use crate::error::Result;
use crate::query::Query;

pub async fn handle(State(engine): Shared, query: Query) -> Result {
    let mut all = engine.network_list(&query.filters()?)?;
    // Who is attached is for `inspect` alone: lists stay short.
    for details in &mut all {
        details.containers = BTreeMap::new();
    }
    let list: Vec<Network<'_>> = all.iter().map(Network::new).collect();
    Ok(answer::ok(&list))
}
