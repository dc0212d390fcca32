//! Who the user is to a registry.
//!
//! In: what `docker login` kept and clients send. Out: values that print no secret.

use std::fmt;

/// Credentials for one registry; all empty is nobody.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Name of the user.
    pub username: String,
    /// Password, or an access token in its place.
    pub password: String,
    /// A token that stands for a password at the token server.
    pub identity_token: String,
    /// A bearer token for the registry itself.
    pub registry_token: String,
}

impl Credentials {
    /// Whether they say nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({:?}, …)", self.username)
    }
}
