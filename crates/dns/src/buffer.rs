//! The buffer that datagrams are received in: one for each thread, not for each sandbox.
//!
//! In: a socket that can be read, and what to do with a datagram. Out: what that made of it. No
//! waiting happens while the buffer is in use.

use std::cell::RefCell;
use std::io;

/// The longest datagram there is.
const LONGEST: usize = 65535;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; LONGEST]);
}

/// Receives with `receive`, which gives the length and what else it knows, and hands it on.
pub(crate) fn with_datagram<K, T>(
    receive: impl FnOnce(&mut [u8]) -> io::Result<(usize, K)>,
    then: impl FnOnce(&[u8], K) -> T,
) -> io::Result<T> {
    BUFFER.with_borrow_mut(|buffer| {
        let (length, known) = receive(buffer)?;
        Ok(then(buffer.get(..length).unwrap_or_default(), known))
    })
}
