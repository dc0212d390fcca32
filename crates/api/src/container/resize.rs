//! `POST /containers/{name}/resize`.

use axum::extract::{Path, State};

use crate::Shared;
use crate::answer;
use crate::error::{ApiError, Result};
use crate::query::Query;

pub async fn handle(State(engine): Shared, Path(name): Path<String>, query: Query) -> Result {
    let (height, width) = size(&query)?;
    engine.container_resize(&name, height, width).await?;
    Ok(answer::done())
}

/// Height and width of a terminal in the query, in characters.
pub fn size(query: &Query) -> Result<(u16, u16)> {
    let number = |key, what| {
        let text = query.word(key).unwrap_or_default();
        text.parse().map_err(|_| {
            ApiError::bad_request(format!("invalid resize {what} {text:?}: must be 0 to 65535"))
        })
    };
    Ok((number("h", "height")?, number("w", "width")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_checked() {
        assert_eq!(size(&Query::parse("h=24&w=80")).unwrap(), (24, 80));
        for bad in ["h=24", "h=-1&w=80", "h=24&w=99999", "h=x&w=y"] {
            assert_eq!(size(&Query::parse(bad)).unwrap_err().status(), 400);
        }
    }
}
