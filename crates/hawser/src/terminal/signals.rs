//! Signals that reach us while we are joined to a container.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// The signals that are handed on, with the names that the engine knows. Not those that
/// cannot be caught, that report our own faults, or that only concern us: CHLD, PIPE, URG, and
/// WINCH, which is a resize.
const FORWARDED: [(i32, &str); 15] = [
    (1, "HUP"),
    (2, "INT"),
    (3, "QUIT"),
    (10, "USR1"),
    (12, "USR2"),
    (14, "ALRM"),
    (15, "TERM"),
    (18, "CONT"),
    (20, "TSTP"),
    (21, "TTIN"),
    (22, "TTOU"),
    (24, "XCPU"),
    (26, "VTALRM"),
    (29, "IO"),
    (30, "PWR"),
];

/// Catches the signals that can be handed on; they no longer do what they usually do.
pub fn catch() -> mpsc::UnboundedReceiver<&'static str> {
    let (sender, receiver) = mpsc::unbounded_channel();
    for (number, name) in FORWARDED {
        // A signal that cannot be caught keeps its usual effect.
        let Ok(mut caught) = signal(SignalKind::from_raw(number)) else { continue };
        let sender = sender.clone();
        tokio::spawn(
            async move { while caught.recv().await.is_some() && sender.send(name).is_ok() {} },
        );
    }
    receiver
}

/// Ends the program, terminal restored, at a signal that would end it anyway.
pub fn end_at_signal() {
    for number in [1, 2, 3, 15] {
        let Ok(mut caught) = signal(SignalKind::from_raw(number)) else { continue };
        tokio::spawn(async move {
            if caught.recv().await.is_some() {
                super::restore();
                std::process::exit(128 + number);
            }
        });
    }
}
