//! A program of ours in a test host that does something each time it is told to.
//!
//! In: lines for its standard input. Out: how long each took, as the program itself says it, in
//! microseconds a line.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use hawser_testkit::Running;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program, and how often it was told.
#[derive(Debug)]
pub struct Runner {
    program: Running,
    told: usize,
}

impl Runner {
    /// A program that has just been started.
    pub fn new(program: Running) -> Runner {
        Runner { program, told: 0 }
    }

    /// Tells it once, and waits until it is done.
    ///
    /// # Errors
    /// When the program says something else than a number, or ends.
    pub fn tell(&mut self, what: &str) -> Result<Duration> {
        self.program.write(&format!("{what}\n"));
        self.told += 1;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let said = self.program.stdout();
            if let Some(line) = said.lines().nth(self.told - 1).filter(|_| said.ends_with('\n')) {
                let micros: u64 = line.parse().with_context(|| format!("not a time: {line}"))?;
                return Ok(Duration::from_micros(micros));
            }
            if self.program.is_finished() || Instant::now() > deadline {
                bail!("it does not answer: {}{}", said, self.program.stderr());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
