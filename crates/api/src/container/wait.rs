//! `POST /containers/{name}/wait`: the head of the answer goes out once nothing can be missed any
//! more, the body when the container has ended. Clients start the container between the two.

use axum::extract::{Path, State};
use hawser_engine::container::{WaitCondition, WaitOutcome};
use serde_json::{Value, json};

use crate::Shared;
use crate::error::{ApiError, Result};
use crate::query::Query;
use crate::stream;

pub async fn handle(State(engine): Shared, Path(name): Path<String>, query: Query) -> Result {
    let condition = condition(query.word("condition"))?;
    let end = engine.container_wait(&name, condition).await?;
    Ok(stream::once(async move {
        match end.await {
            Ok(outcome) => encode(outcome),
            // The head has said 200: a failure can only be told in the body.
            Err(error) => encode(WaitOutcome { code: -1, error: Some(error.to_string()) }),
        }
    }))
}

fn condition(word: Option<&str>) -> Result<WaitCondition> {
    match word {
        None | Some("not-running") => Ok(WaitCondition::NotRunning),
        Some("next-exit") => Ok(WaitCondition::NextExit),
        Some("removed") => Ok(WaitCondition::Removed),
        Some(other) => Err(ApiError::bad_request(format!("invalid condition: \"{other}\""))),
    }
}

fn encode(outcome: WaitOutcome) -> Value {
    match outcome.error {
        None => json!({"StatusCode": outcome.code}),
        Some(error) => json!({"StatusCode": outcome.code, "Error": {"Message": error}}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_known() {
        assert_eq!(condition(None).unwrap(), WaitCondition::NotRunning);
        assert_eq!(condition(Some("next-exit")).unwrap(), WaitCondition::NextExit);
        assert_eq!(condition(Some("removed")).unwrap(), WaitCondition::Removed);
        assert_eq!(condition(Some("x")).unwrap_err().message(), "invalid condition: \"x\"");
    }

    #[test]
    fn outcomes_are_dockers() {
        let text = |code, error| encode(WaitOutcome { code, error }).to_string();
        assert_eq!(text(3, None), r#"{"StatusCode":3}"#);
        let wanted = r#"{"StatusCode":0,"Error":{"Message":"x"}}"#;
        assert_eq!(text(0, Some("x".into())), wanted);
    }
}
