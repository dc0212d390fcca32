//! An upstream's answer: whether it is one, how long it is kept, how it grows old.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hawser_dns::fuzzing::response(bytes));
