//! Progress of pulls and pushes as Docker's clients draw it.
//!
//! In: a transfer. Out: a response of JSON lines; a failure is the last of them. The transfer ends
//! when the client goes.

use axum::response::Response;
use futures_util::StreamExt;
use hawser_engine::Result;
use hawser_engine::image::{Step, Transfer};
use serde_json::{Value, json};

use crate::stream::Lines;

/// How wide a bar is that is sent as text.
const BAR: u64 = 50;

/// The response.
pub fn respond(transfer: Transfer) -> Response {
    Lines::stream(transfer.map(line))
}

fn line(step: Result<Step>) -> Value {
    match step {
        Ok(Step::Say { id: None, text }) => json!({"status": text}),
        Ok(Step::Say { id: Some(id), text }) => json!({"status": text, "id": id}),
        Ok(Step::Layer { id, status, bytes: None }) => {
            json!({"status": status, "progressDetail": {}, "id": id})
        }
        Ok(Step::Layer { id, status, bytes: Some((current, total)) }) => json!({
            "status": status,
            "progressDetail": {"current": current, "total": total},
            "progress": bar(current, total),
            "id": id,
        }),
        Ok(Step::Pushed { tag, digest, size }) => {
            json!({"progressDetail": {}, "aux": {"Tag": tag, "Digest": digest, "Size": size}})
        }
        Err(error) => {
            let message = error.to_string();
            json!({"errorDetail": {"message": message}, "error": message})
        }
    }
}

/// `[=====>      ]  1.2MB/3MB`, for clients that show what they get.
fn bar(current: u64, total: u64) -> String {
    let done = current.min(total).saturating_mul(BAR).checked_div(total).unwrap_or(0);
    let filled = usize::try_from(done).unwrap_or(0);
    let head = if done < BAR { ">" } else { "" };
    let bar = format!("{}{head}", "=".repeat(filled));
    format!("[{bar:<50}] {:>8}/{}", size(current), size(total))
}

/// A size as Docker writes it: 1.2MB.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut units = ["B", "kB", "MB", "GB", "TB", "PB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    while value >= 1000.0 {
        let Some(next) = units.next() else { break };
        (value, unit) = (value / 1000.0, next);
    }
    let digits = match value {
        _ if unit == "B" || value >= 100.0 => 0,
        _ if value >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$}{unit}")
}

#[cfg(test)]
mod tests {
    use hawser_engine::{Error, Kind};

    use super::*;

    #[test]
    fn lines_are_dockers() {
        let layer = |bytes| Step::Layer { id: "ab".into(), status: "Downloading".into(), bytes };
        assert_eq!(
            line(Ok(layer(None))).to_string(),
            r#"{"status":"Downloading","progressDetail":{},"id":"ab"}"#
        );
        let bar = format!("[{}>{}]   1.50kB/3.00kB", "=".repeat(25), " ".repeat(24));
        let half = line(Ok(layer(Some((1500, 3000)))));
        assert_eq!(half["progressDetail"].to_string(), r#"{"current":1500,"total":3000}"#);
        assert_eq!(half["progress"], bar);
        let say = Step::Say { id: Some("latest".into()), text: "Pulling from library/x".into() };
        let expected = r#"{"status":"Pulling from library/x","id":"latest"}"#;
        assert_eq!(line(Ok(say)).to_string(), expected);
        let error = line(Err(Error::new(Kind::System, "no")));
        assert_eq!(error.to_string(), r#"{"errorDetail":{"message":"no"},"error":"no"}"#);
    }

    #[test]
    fn bars_have_an_end() {
        assert!(bar(3, 3).starts_with(&format!("[{}]", "=".repeat(50))));
        assert!(bar(9, 3).starts_with(&format!("[{}]", "=".repeat(50))));
        assert!(bar(0, 0).starts_with("[>"));
    }
}
