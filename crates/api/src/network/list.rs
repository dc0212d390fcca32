//! `GET /networks`.

use axum::extract::State;

use super::view::Network;
use crate::Shared;
use crate::answer;
use crate::error::Result;
use crate::query::Query;

pub async fn handle(State(engine): Shared, query: Query) -> Result {
    let all = engine.network_list(&query.filters()?)?;
    let list: Vec<Network<'_>> = all.iter().map(Network::new).collect();
    Ok(answer::ok(&list))
}
