//! Raw mode: every key goes to the container.
//!
//! The terminal is put back when [`RawMode`] is dropped, by [`restore`] where nothing is
//! dropped (`exit`), and by a panic hook, because release builds abort on a panic.

use std::io;
use std::sync::{Mutex, Once, PoisonError};

use rustix::stdio::stdin;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

static SAVED: Mutex<Option<Termios>> = Mutex::new(None);
static HOOK: Once = Once::new();

/// The terminal is in raw mode as long as this lives.
pub struct RawMode(());

impl RawMode {
    /// Puts the terminal of the standard input into raw mode.
    pub fn enter() -> io::Result<Self> {
        Self::with(Termios::make_raw)
    }

    /// Only keeps what is typed from showing.
    pub fn hide() -> io::Result<Self> {
        Self::with(|mode| mode.local_modes.remove(LocalModes::ECHO))
    }

    fn with(change: impl FnOnce(&mut Termios)) -> io::Result<Self> {
        let saved = tcgetattr(stdin())?;
        let mut raw = saved.clone();
        change(&mut raw);
        SAVED.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(saved);
        HOOK.call_once(|| {
            let usual = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                restore();
                usual(panic);
            }));
        });
        tcsetattr(stdin(), OptionalActions::Now, &raw)?;
        Ok(Self(()))
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        restore();
    }
}

/// Puts the terminal back as it was, if it is in raw mode.
pub fn restore() {
    // Not `lock`: a panic inside of `enter` must not wait for itself.
    let Ok(mut saved) = SAVED.try_lock() else { return };
    if let Some(termios) = saved.take() {
        // There is nothing left to be done if the terminal is gone.
        let _ = tcsetattr(stdin(), OptionalActions::Drain, &termios);
    }
}
