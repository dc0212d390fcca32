//! What the engine reports while it works on an image.

use http::Response;
use hyper::body::Incoming;

use crate::client::Lines;
use crate::failure::{Failure, Outcome};
use crate::output;

/// Prints the reports (without the bars, if `quiet`) until the engine is done.
pub async fn show(answer: Response<Incoming>, quiet: bool) -> Outcome {
    let mut lines = Lines::new(answer);
    while let Some(line) = lines.next().await? {
        if let Some(message) = line["errorDetail"]["message"].as_str().or(line["error"].as_str()) {
            return Err(Failure::new(message));
        }
        if let Some(text) = line["stream"].as_str() {
            output::print(text);
        } else if let (false, Some(status)) = (quiet, line["status"].as_str()) {
            // Progress of a single layer is for a terminal; its end is said in any case.
            if line["progressDetail"]["current"].is_null() {
                output::println(status);
            }
        }
    }
    Ok(())
}
