//! The size of the terminal, and how the container's follows it.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::client::{Client, Query};

/// Rows and columns of the terminal, if there is one and it knows.
pub fn current() -> Option<(u16, u16)> {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok()?;
    (size.ws_row > 0 && size.ws_col > 0).then_some((size.ws_row, size.ws_col))
}

/// Gives a container or an exec our size, now and whenever it changes. `path` is the one of
/// its resize request. Never returns by itself.
pub async fn follow(client: &Client, path: &str) {
    // The process may not be there yet: docker too tries for a moment.
    for attempt in 1..=10 {
        if resize(client, path).await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10 * attempt)).await;
    }
    let Ok(mut changes) = signal(SignalKind::window_change()) else {
        return std::future::pending().await;
    };
    while changes.recv().await.is_some() {
        resize(client, path).await;
    }
    std::future::pending().await
}

/// Makes a program that runs already draw its screen again: its terminal takes another size,
/// and [`follow`] gives it ours back. Without, the prompt of a shell stays hidden on attach.
pub async fn redraw(client: &Client, path: &str) {
    if let Some((rows, columns)) = current() {
        set(client, path, rows.saturating_add(1), columns.saturating_add(1)).await;
    }
}

async fn resize(client: &Client, path: &str) -> bool {
    match current() {
        Some((rows, columns)) => set(client, path, rows, columns).await,
        None => true,
    }
}

async fn set(client: &Client, path: &str, rows: u16, columns: u16) -> bool {
    let query = Query::new().with("h", rows.to_string()).with("w", columns.to_string());
    client.post(path, &query, None).await.is_ok()
}
