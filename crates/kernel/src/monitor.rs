//! Hears what other processes do to nftables.
//!
//! In: the kernel's notices, one transaction after the other. Out: whether it was our tables that
//! they changed, or others', and who. What was done by the socket that writes our tables is not
//! heard at all: the kernel sorts it out.

use std::io;
use std::time::Duration;

use crate::error::Error;
use crate::netlink::number::*;
use crate::netlink::{Socket, attributes, text};
use crate::nft::{FAMILIES, NFGENMSG, TABLE};
use crate::sys;

/// Listens.
#[derive(Debug)]
pub struct Monitor(Socket);

/// What was heard since it was last asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Somebody else wrote to our tables.
    pub ours: bool,
    /// Somebody changed other tables.
    pub others: bool,
    /// Who: process and its name, the last one when there were several.
    pub by: Option<(u32, String)>,
}

impl Monitor {
    /// Begins to listen; not to what the socket of that port does.
    pub(crate) fn open(deaf_to: u32) -> io::Result<Self> {
        let socket = Socket::netfilter_notices(&[libc::NFNLGRP_NFTABLES as u32], |socket| {
            sys::ignore_sender(socket, deaf_to)
        })?;
        Ok(Self(socket))
    }

    /// Waits until there is something to hear, or no longer than that.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn wait(&mut self, patience: Duration) -> Result<Heard, Error> {
        let waited = self.0.wait(patience);
        waited.map_err(|error| Error::new("wait for", "changes of nftables", error))?;
        self.hear()
    }

    /// Hears what is there, without waiting for more.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn hear(&mut self) -> Result<Heard, Error> {
        let mut heard = Heard::default();
        match self.0.hear(|kind, payload| heard.note(kind, payload)) {
            // More than there was room for: nobody knows what.
            Err(cause) if cause.errno() == Some(libc::ENOBUFS) => {
                (heard.ours, heard.others) = (true, true);
            }
            done => done.map_err(|cause| Error::new("hear of", "changes of nftables", cause))?,
        }
        Ok(heard)
    }
}

impl Heard {
    fn note(&mut self, kind: u16, payload: &[u8]) {
        let value = |kind| attributes(payload.get(NFGENMSG..).unwrap_or_default()).value_of(kind);
        if i32::from(kind >> 8) != libc::NFNL_SUBSYS_NFTABLES {
            return;
        }
        if i32::from(kind & 0xff) == libc::NFT_MSG_NEWGEN {
            // The end of each transaction.
            let pid = value(NFTA_GEN_PROC_PID).and_then(|pid| pid.try_into().ok());
            let name = value(NFTA_GEN_PROC_NAME).map(text).unwrap_or_default();
            self.by = pid.map(|pid| (u32::from_be_bytes(pid), name)).or(self.by.take());
            return;
        }
        // The name of the table is the first attribute of everything that is in one.
        let family = payload.first().is_some_and(|family| FAMILIES.contains(family));
        let ours = family && value(NFTA_TABLE_NAME).map(text).as_deref() == Some(TABLE);
        self.ours |= ours;
        self.others |= !ours;
    }
}
