//! Prints the machine's own state, so that what it was before a test run can be compared with what
//! it is after. No arguments.

fn main() -> anyhow::Result<()> {
    print!("{}", hawser_testkit::machine_state()?);
    Ok(())
}
