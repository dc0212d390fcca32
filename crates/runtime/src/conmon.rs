//! How `conmon` is called and what it answers.
//!
//! In: paths and flags. Out: the process numbers it reports, or the OCI runtime's error. It knows the options
//! of `conmon` 2.1 and no more of containers than those need.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::pipe::PipeFlags;
use serde::Deserialize;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;

use crate::error::Error;
use crate::spawn::{Launch, Place, Spawner};

/// Longest message that is read; `conmon` sends 8 KiB of the runtime's output at most.
const MESSAGE_LIMIT: u64 = 64 << 10;
/// An OCI runtime that takes longer than this to make a container is taken for stuck.
const DEADLINE: Duration = Duration::from_secs(120);

/// What `conmon` is to watch over.
#[derive(Debug)]
pub(crate) struct Watch<'a> {
    /// Path of `conmon`.
    pub conmon: &'a Path,
    /// Path of the OCI runtime.
    pub runtime: &'a Path,
    /// Arguments of the OCI runtime before its command.
    pub runtime_args: Vec<OsString>,
    /// The container.
    pub id: &'a str,
    /// The container, or the command in it.
    pub session: &'a str,
    /// Folder of sockets, fifos, pid files; of the OCI bundle when it is a container.
    pub dir: &'a Path,
    pub log: Option<&'a Path>,
    pub tty: bool,
    pub stdin: bool,
    pub leave_stdin_open: bool,
    /// For a command in a container: its OCI process.
    pub exec: Option<&'a Path>,
}

/// File in [`Watch::dir`] with the number of `conmon` itself.
pub(crate) const CONMON_PID: &str = "conmon.pid";
const CONTAINER_PID: &str = "container.pid";
/// File in [`Watch::dir`] with the OCI runtime's errors: on a terminal its output would not reach us.
const LOG: &str = "oci-log";
/// Folder in [`Watch::dir`] where the exit code is written.
pub(crate) const EXITS: &str = "exits";

impl Watch<'_> {
    fn args(&self) -> Vec<OsString> {
        let mut args = Args(Vec::with_capacity(40));
        args.flag("--api-version").flag("1").flag("--full-attach").flag("--no-sync-log");
        args.pair("--cid", self.id).pair("--cuuid", self.session).pair("--name", self.session);
        args.pair("--runtime", self.runtime).pair("--bundle", self.dir);
        for arg in &self.runtime_args {
            args.pair("--runtime-arg", arg);
        }
        for (option, value) in [("--log", self.dir.join(LOG)), ("--log-format", "json".into())] {
            args.pair("--runtime-arg", option).pair("--runtime-arg", value);
        }
        args.pair("--container-pidfile", self.dir.join(CONTAINER_PID));
        args.pair("--conmon-pidfile", self.dir.join(CONMON_PID));
        args.pair("--exit-dir", self.dir.join(EXITS));
        args.pair("--log-path", log_option(self.log));
        for (wanted, flag) in [
            (self.tty, "--terminal"),
            (self.stdin, "--stdin"),
            (self.leave_stdin_open, "--leave-stdin-open"),
        ] {
            if wanted {
                args.flag(flag);
            }
        }
        if let Some(process) = self.exec {
            args.flag("--exec").flag("--exec-attach").pair("--exec-process-spec", process);
        }
        args.0
    }

    fn launch(&self, pipes: Vec<(&'static str, OwnedFd)>, place: Option<Place>) -> Launch {
        Launch {
            program: self.conmon.to_path_buf(),
            args: self.args(),
            cwd: self.dir.to_path_buf(),
            pipes,
            place,
        }
    }

    /// Has the container created; gives the number of its process, or the OCI runtime's words.
    pub(crate) async fn create(
        &self,
        spawner: &Spawner,
        place: Place,
    ) -> Result<Result<i32, String>, Error> {
        let failed = || Error::io(format!("run conmon for {}", self.id));
        let (read, write) = pipe().map_err(failed())?;
        let launch = self.launch(vec![("_OCI_SYNCPIPE", write)], Some(place));
        let mut sync = Messages::new(read).map_err(failed())?;
        spawner.launch(launch).await.map_err(failed())?;
        let outcome = sync.pid().await.map_err(failed())?;
        Ok(outcome.map_err(|message| self.refusal(message)))
    }

    /// What the OCI runtime wrote about its failure, or else what `conmon` read from it.
    fn refusal(&self, message: String) -> String {
        #[derive(Deserialize)]
        struct Line {
            msg: String,
        }
        let log = std::fs::read_to_string(self.dir.join(LOG)).unwrap_or_default();
        let last = log.lines().rev().find_map(|line| serde_json::from_str::<Line>(line).ok());
        let message = last.map_or(message, |line| line.msg);
        if message.is_empty() { "the OCI runtime failed without a message".into() } else { message }
    }

    /// Has the command started as soon as `attached` is done, which is called when its socket is there.
    pub(crate) async fn exec<T>(
        &self,
        spawner: &Spawner,
        attached: impl AsyncFnOnce() -> Result<T, Error>,
    ) -> Result<Result<(i32, T, Messages), String>, Error> {
        let failed = || Error::io(format!("run conmon for a command in {}", self.id));
        let (sync, sync_write) = pipe().map_err(failed())?;
        let (ready, ready_write) = pipe().map_err(failed())?;
        let (go_read, go) = pipe().map_err(failed())?;
        let pipes = vec![
            ("_OCI_SYNCPIPE", sync_write),
            ("_OCI_ATTACHPIPE", ready_write),
            ("_OCI_STARTPIPE", go_read),
        ];
        let mut sync = Messages::new(sync).map_err(failed())?;
        let mut ready = Messages::new(ready).map_err(failed())?;
        // It reads the first one before it daemonizes, the second before it starts the command; one read
        // takes all there is, so the second must not be there yet.
        say(&go).map_err(failed())?;
        spawner.launch(self.launch(pipes, None)).await.map_err(failed())?;
        ready.next().await.map_err(failed())?;
        let value = attached().await?;
        say(&go).map_err(failed())?;
        let outcome = sync.pid().await.map_err(failed())?;
        Ok(outcome.map(|pid| (pid, value, sync)).map_err(|message| self.refusal(message)))
    }
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?)
}

/// What is said on the start pipe does not matter.
fn say(pipe: &OwnedFd) -> io::Result<()> {
    rustix::io::write(pipe, b".")?;
    Ok(())
}

/// `--log-path` for `conmon`.
fn log_option(path: Option<&Path>) -> OsString {
    path.map_or_else(
        || OsString::from("none"),
        |path| {
            let mut option = OsString::from("k8s-file:");
            option.push(path);
            option
        },
    )
}

struct Args(Vec<OsString>);

impl Args {
    fn flag(&mut self, flag: &str) -> &mut Self {
        self.0.push(flag.into());
        self
    }

    fn pair(&mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> &mut Self {
        self.0.push(name.into());
        self.0.push(value.as_ref().to_owned());
        self
    }
}

/// One message of `conmon`.
#[derive(Debug, Deserialize)]
pub(crate) struct Message {
    /// A process number or an exit code; negative for an error.
    pub data: i32,
    #[serde(default)]
    pub message: String,
}

/// The reading end of a pipe on which `conmon` writes a JSON object a line.
#[derive(Debug)]
pub(crate) struct Messages {
    pipe: pipe::Receiver,
    buffer: Vec<u8>,
}

impl Messages {
    fn new(fd: OwnedFd) -> io::Result<Self> {
        Ok(Self { pipe: pipe::Receiver::from_owned_fd(fd)?, buffer: Vec::new() })
    }

    /// The next message; `None` when `conmon` has ended.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Message>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                // Its escaping does not promise UTF-8.
                return Ok(Some(serde_json::from_str(&String::from_utf8_lossy(&line))?));
            }
            if self.buffer.len() as u64 >= MESSAGE_LIMIT {
                return Err(io::Error::other("conmon sent an endless message"));
            }
            if self.pipe.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// The number of the process, or why there is none.
    async fn pid(&mut self) -> io::Result<Result<i32, String>> {
        let message = tokio::time::timeout(DEADLINE, self.next())
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        Ok(match message {
            Some(message) if message.data > 0 => Ok(message.data),
            Some(message) => Err(message.message),
            None => Err(String::new()),
        })
    }
}

/// Reads a number that `conmon` wrote into a file.
pub(crate) fn read_number(path: PathBuf) -> io::Result<i32> {
    let text = std::fs::read_to_string(path)?;
    text.trim().parse().map_err(|_| io::ErrorKind::InvalidData.into())
}
