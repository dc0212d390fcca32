//! The rounds: everything once with each engine, in turns, so that what the machine does meanwhile
//! strikes all of them alike.

use anyhow::Result;

use crate::bare::Bare;
use crate::engine::Engine;
use crate::report::Report;

/// The network modes.
pub const MODES: [&str; 3] = ["bridge", "none", "host"];

/// Runs one round that does not count, then `rounds` that do.
pub fn measure(
    engines: &[Engine],
    mut bare: Option<&mut Bare>,
    image: &str,
    rounds: usize,
    report: &mut Report,
) -> Result<()> {
    for engine in engines {
        report.resident.push((format!("{} (idle)", engine.name), engine.resident()?));
    }
    for round in 0..=rounds {
        // Whoever goes first pays for cold caches: take turns.
        let mut order: Vec<&Engine> = engines.iter().collect();
        order.rotate_left(round % engines.len().max(1));
        let mut times = Vec::new();
        for mode in MODES {
            for engine in &order {
                times.push((format!("start, {mode}"), &engine.name, engine.start(image, mode)?));
            }
            if mode == "bridge"
                && let Some(bare) = bare.as_deref_mut()
            {
                report.bare(round, bare.run()?);
            }
            for engine in &order {
                times.push((format!("run --rm, {mode}"), &engine.name, engine.run(image, mode)?));
            }
        }
        // The report shows the engines in the order in which they were named.
        times.sort_by_key(|(_, name, _)| engines.iter().position(|engine| engine.name == **name));
        for (what, name, took) in times.into_iter().filter(|_| round > 0) {
            report.add(&what, name, took);
        }
    }
    for engine in engines {
        report.resident.push((format!("{} (after)", engine.name), engine.resident()?));
    }
    Ok(())
}
