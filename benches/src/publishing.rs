//! Published ports: what a thousand cost, whether the cost stays the same however many there are,
//! and how quick the way through one is.
//!
//! In: how many rounds. Out: figures in the report. Everything is on test hosts: containers with
//! one port and with a thousand, hawser and Docker in turns ([`ranges`]); one port, or one
//! container, more and more often ([`curve`]); connections from a neighbour, against a rule written
//! by hand ([`traffic`]). What is promised of it is in [`promises`].

mod curve;
pub mod load;
mod promises;
mod ranges;
mod site;
mod traffic;

use anyhow::Result;
use hawser_testkit::TestHost;

use crate::report::Report;

pub use promises::broken;

/// Measures all of it. The hosts' engines have no published port; `image` has `sleep`.
///
/// # Errors
/// When an engine refuses a request.
pub fn measure(
    hosts: &[(&str, &TestHost)],
    image: &str,
    rounds: usize,
    report: &mut Report,
) -> Result<()> {
    ranges::measure(hosts, image, rounds, report)?;
    curve::measure(image, rounds, report)?;
    traffic::measure(image, rounds, report)
}
