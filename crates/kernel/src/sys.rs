//! The system calls that no safe wrapper has: the only `unsafe` of the crate.
//!
//! In: sockets and plain values. Out: `io::Result`. Nothing here knows what the sockets are for.
#![expect(unsafe_code, reason = "setsockopt and sendto with structures, unshare")]

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::thread::{UnshareFlags, unshare_unsafe};

/// Gives the calling thread a network namespace of its own.
pub(crate) fn unshare_network() -> io::Result<()> {
    // SAFETY: only the network namespace is unshared, the table of descriptors stays common.
    Ok(unsafe { unshare_unsafe(UnshareFlags::NEWNET) }?)
}

/// Gives the calling thread a network and a mount namespace of its own.
#[cfg(test)]
pub(crate) fn unshare_network_and_mounts() -> io::Result<()> {
    let flags = UnshareFlags::NEWNET | UnshareFlags::NEWNS | UnshareFlags::FS;
    // SAFETY: the table of descriptors stays common.
    Ok(unsafe { unshare_unsafe(flags) }?)
}

/// Switches a boolean option of a netlink socket (`NETLINK_*`) on.
pub(crate) fn enable_netlink_option(socket: BorrowedFd<'_>, option: i32) -> io::Result<()> {
    set_option(socket, libc::SOL_NETLINK, option, &1_i32)
}

/// Makes a netlink socket hear a group of notices (`RTNLGRP_*`).
pub(crate) fn join_group(socket: BorrowedFd<'_>, group: u32) -> io::Result<()> {
    set_option(socket, libc::SOL_NETLINK, libc::NETLINK_ADD_MEMBERSHIP, &group)
}

/// Makes a socket drop every packet that it would receive.
pub(crate) fn drop_everything(socket: BorrowedFd<'_>) -> io::Result<()> {
    let mut keep_nothing = libc::sock_filter { code: libc::BPF_RET as u16, jt: 0, jf: 0, k: 0 };
    let program = libc::sock_fprog { len: 1, filter: &raw mut keep_nothing };
    set_option(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
}

/// Makes a netlink socket drop the notices of what the socket of a port did.
pub(crate) fn ignore_sender(socket: BorrowedFd<'_>, port: u32) -> io::Result<()> {
    let step = |code: u32, jt, jf, k| libc::sock_filter { code: code as u16, jt, jf, k };
    // The filter reads in network order what the kernel wrote in its own (`nlmsg_pid`).
    let port = u32::from_be_bytes(port.to_ne_bytes());
    let mut filter = [
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 12),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, port),
        step(libc::BPF_RET, 0, 0, 0),
        step(libc::BPF_RET, 0, 0, u32::MAX),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    set_option(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
}

/// Makes a socket receive again after [`drop_everything`]; nothing for one that does.
pub(crate) fn drop_nothing(socket: BorrowedFd<'_>) -> io::Result<()> {
    match set_option(socket, libc::SOL_SOCKET, libc::SO_DETACH_FILTER, &0_i32) {
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
        done => done,
    }
}

/// Sends an Ethernet frame from an interface, by an `AF_PACKET` socket.
pub(crate) fn send_frame(socket: BorrowedFd<'_>, index: u32, frame: &[u8]) -> io::Result<()> {
    let to = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: 0,
        sll_ifindex: index as i32,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    // SAFETY: both pointers and lengths describe values that live during the call.
    let sent = unsafe {
        let (pointer, length) = (frame.as_ptr().cast(), frame.len());
        let address = (&raw const to).cast();
        let address_length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        libc::sendto(socket.as_raw_fd(), pointer, length, 0, address, address_length)
    };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn set_option<T>(socket: BorrowedFd<'_>, level: i32, option: i32, value: &T) -> io::Result<()> {
    // SAFETY: the pointer and the length describe `value`, which lives during the call; what a
    // `sock_fprog` points to lives as long (the caller's frame), and the kernel copies it.
    let result = unsafe {
        let pointer = std::ptr::from_ref(value).cast();
        let length = size_of::<T>() as libc::socklen_t;
        libc::setsockopt(socket.as_raw_fd(), level, option, pointer, length)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
