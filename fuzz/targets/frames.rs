//! Bytes of a TCP client of the name service, cut into messages.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hawser_dns::fuzzing::frames(bytes));
