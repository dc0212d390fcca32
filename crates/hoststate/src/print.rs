//! Objects as the `ip`, `bridge` and `nft` lines that a person would type.
