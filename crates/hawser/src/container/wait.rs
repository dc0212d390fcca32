//! `hawser wait`, and waiting for the end of a container in general.

use clap::Args;
use http::{Method, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;

use super::path;
use crate::client::{self, Client, Query};
use crate::context::Context;
use crate::failure::{self, Outcome};
use crate::output;

/// Flags of `wait`.
#[derive(Args)]
pub struct WaitArgs {
    /// The containers
    #[arg(value_name = "CONTAINER [CONTAINER...]", required = true)]
    containers: Vec<String>,
}

/// `hawser wait`: the containers one after the other, as they are given.
pub async fn run(context: &Context, args: WaitArgs) -> Outcome {
    let mut errors = Vec::new();
    for container in &args.containers {
        match context.client.post(&path(container, "/wait"), &Query::new(), None).await {
            Ok(answer) => output::println(&answer["StatusCode"].to_string()),
            Err(error) => errors.push(error.to_string()),
        }
    }
    failure::all(errors)
}

/// What is waited for.
#[derive(Clone, Copy)]
pub enum Condition {
    /// The next end of the process.
    NextExit,
    /// The container's removal.
    Removed,
}

/// A wait that the engine has begun.
pub struct Waiting(Response<Incoming>);

impl Waiting {
    /// Begins to wait: from here on no end is missed.
    pub async fn open(
        client: &Client,
        id: &str,
        condition: Condition,
    ) -> Result<Self, client::Error> {
        let condition = match condition {
            Condition::NextExit => "next-exit",
            Condition::Removed => "removed",
        };
        let query = Query::new().with("condition", condition);
        let answer = client.open_json(Method::POST, &path(id, "/wait"), &query, None).await?;
        Ok(Self(answer))
    }

    /// The code that the process exits with; 125, with a word why, if it cannot be known.
    pub async fn code(self) -> i32 {
        let answer = match self.0.into_body().collect().await {
            Ok(body) => {
                serde_json::from_slice::<Value>(&body.to_bytes()).map_err(|e| e.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        let problem = match &answer {
            Ok(answer) => match answer["Error"]["Message"].as_str().filter(|m| !m.is_empty()) {
                Some(message) => message.to_owned(),
                None => {
                    let code = answer["StatusCode"].as_i64().unwrap_or(125);
                    return i32::try_from(code).unwrap_or(125);
                }
            },
            Err(error) => error.clone(),
        };
        output::complain(&format!("Error waiting for container: {problem}"));
        125
    }
}
