//! The contract: one test that every backend must pass.
