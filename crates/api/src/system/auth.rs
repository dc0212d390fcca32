//! `POST /auth`: whether a registry takes credentials.

use axum::extract::State;
use serde_json::json;

use crate::Shared;
use crate::answer;
use crate::body::Json;
use crate::credentials::AuthConfig;
use crate::error::Result;

pub async fn handle(State(engine): Shared, body: Json<AuthConfig>) -> Result {
    let config = body.required()?;
    let address = config.serveraddress.clone();
    engine.login(&address, &config.credentials()).await?;
    Ok(answer::ok(&json!({"Status": "Login Succeeded", "IdentityToken": ""})))
}
