//! A packet of a client, as the name service reads and answers it.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hawser_dns::fuzzing::packet(bytes));
