//! The test host: a machine made of namespaces.
//!
//! In: [`Options`], commands, daemon flags; out: their results. Own network, mount, PID, UTS, IPC
//! and cgroup namespaces; own `/run`, `/var/lib` and (copy on write) `/etc`; the data of engines on
//! the real disk. It never touches the machine's own.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};

use crate::cgroup::{Hierarchy, Subtree};
use crate::client::{Cli, Client};
use crate::command::{Output, Running, finish};
use crate::daemon::Daemon;
use crate::engine::EngineKind;
use crate::http::Http;
use crate::init::Init;
use crate::prepare::{enter, script, shown_hierarchies};
use crate::rootfs::busybox_tar;
use crate::segment::Segment;
use crate::terminal::Terminal;

/// Which cgroup hierarchies a test host shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CgroupMode {
    /// Those of the machine.
    #[default]
    Machine,
    /// Only those of version 1 (fails where the machine has none).
    V1,
    /// Only that of version 2, with what controllers the machine gives it.
    V2,
}

/// What a test host is made of.
#[derive(Debug, Clone)]
pub struct Options {
    /// Host name.
    pub name: String,
    /// The engine that [`TestHost::start_daemon`] starts.
    pub engine: EngineKind,
    /// The cgroups it shows.
    pub cgroups: CgroupMode,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            name: "testhost".to_owned(),
            engine: EngineKind::from_environment(),
            cgroups: CgroupMode::default(),
        }
    }
}

/// A machine made of namespaces. Dropping it ends everything in it.
#[derive(Debug)]
pub struct TestHost {
    options: Options,
    daemon: RefCell<Option<Daemon>>,
    flags: RefCell<Vec<String>>,
    // In this order: the processes end before their cgroups and files go.
    init: Init,
    cgroups: Subtree,
    base: PathBuf,
}

impl TestHost {
    /// A host with the engine of the environment, not started.
    ///
    /// # Panics
    /// When the host cannot be made; so do the other functions when they cannot do their part.
    #[expect(clippy::new_without_default, reason = "makes things in the kernel, and may fail")]
    #[track_caller]
    pub fn new() -> TestHost {
        TestHost::with(Options::default())
    }

    /// A host whose engine runs with no flags and has the `busybox` image.
    #[track_caller]
    pub fn running() -> TestHost {
        TestHost::running_with(&[])
    }

    /// A host whose engine runs with `flags` and has the `busybox` image.
    #[track_caller]
    pub fn running_with(flags: &[&str]) -> TestHost {
        let host = TestHost::new();
        host.start_daemon(flags);
        host.load_busybox();
        host
    }

    /// A host as `options` say.
    #[track_caller]
    pub fn with(options: Options) -> TestHost {
        match TestHost::create(options) {
            Ok(host) => host,
            Err(error) => panic!("test host: {error:#}"),
        }
    }

    fn create(options: Options) -> Result<TestHost> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("hawser-test-{}-{count}", std::process::id());
        sweep(&base_of_all())?;
        let base = base_of_all().join(&name);
        make_directories(&base).context("make the host's directories")?;
        let shown = shown_hierarchies(&options)?;
        // On a hybrid machine hawser must see the unified hierarchy as it is, controllers included;
        // it keeps out of it, while dockerd makes groups there.
        let hybrid = shown.iter().any(|h| !h.is_v2());
        let in_real_root =
            |h: &Hierarchy| h.is_v2() && hybrid && options.engine == EngineKind::Hawser;
        let own: Vec<Hierarchy> = shown.iter().filter(|h| !in_real_root(h)).cloned().collect();
        let cgroups = Subtree::create(&name, &own)?;
        let flags = [
            "--net",
            "--mount",
            "--pid",
            "--uts",
            "--ipc",
            "--cgroup",
            "--fork",
            "--kill-child=KILL",
            "--propagation",
            "private",
        ];
        let script = script(&options, &shown, &base);
        let init = Init::start(&enter(&cgroups.roots()), &flags, &script)?;
        Ok(TestHost {
            options,
            daemon: RefCell::new(None),
            flags: RefCell::default(),
            init,
            cgroups,
            base,
        })
    }

    /// Which engine this host runs.
    pub fn engine(&self) -> EngineKind {
        self.options.engine
    }

    /// A directory on the real disk with the same path in the host and on the machine.
    pub fn files(&self) -> PathBuf {
        self.base.join("files")
    }

    /// Process id on the machine of the host's process number one.
    pub fn pid(&self) -> u32 {
        self.init.pid()
    }

    /// A path of the host, as the machine reaches it.
    pub fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.init.pid()))
    }

    /// Starts the daemon with `flags` and waits until it answers.
    #[track_caller]
    pub fn start_daemon(&self, flags: &[&str]) {
        if let Err(error) = self.try_start_daemon(flags) {
            panic!("{error:#}");
        }
    }

    /// The same, when its refusal is an outcome.
    ///
    /// # Errors
    /// With the daemon's log when it ends or does not answer.
    pub fn try_start_daemon(&self, flags: &[&str]) -> Result<()> {
        ensure!(self.daemon.borrow().is_none(), "the daemon runs already");
        *self.flags.borrow_mut() = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let kind = self.engine();
        let mut words = vec![kind.program().display().to_string()];
        words.extend(kind.flags().iter().chain(flags).map(|flag| (*flag).to_owned()));
        let log = self.base.join("daemon.log");
        let daemon = Daemon::start(self.command(&words), &self.http(), &log)?;
        *self.daemon.borrow_mut() = Some(daemon);
        Ok(())
    }

    /// Stops the daemon with SIGTERM, and leaves the containers.
    #[track_caller]
    pub fn stop_daemon(&self) {
        self.end_daemon("TERM");
    }

    /// Kills the daemon with SIGKILL.
    #[track_caller]
    pub fn kill_daemon(&self) {
        self.end_daemon("KILL");
    }

    fn end_daemon(&self, signal: &str) {
        if let Some(mut daemon) = self.daemon.borrow_mut().take() {
            daemon.end(signal);
        }
    }

    /// Stops the daemon and starts it with the same flags.
    #[track_caller]
    pub fn restart_daemon(&self) {
        self.stop_daemon();
        self.start_again();
    }

    /// Starts the daemon with the flags it had.
    #[track_caller]
    pub fn start_again(&self) {
        let flags = self.flags.borrow().clone();
        self.start_daemon(&flags.iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// The daemon's process id on the machine, while it runs.
    pub fn daemon_pid(&self) -> Option<u32> {
        self.daemon.borrow().as_ref().and_then(Daemon::pid)
    }

    /// What the daemon has logged.
    pub fn daemon_log(&self) -> String {
        fs::read_to_string(self.base.join("daemon.log")).unwrap_or_default()
    }

    /// Imports the `busybox` image into the engine.
    #[track_caller]
    pub fn load_busybox(&self) {
        let http = self.http();
        let path = "/images/create?fromSrc=-&repo=busybox&tag=latest&changes=CMD+%5B%22sh%22%5D";
        let headers = [("Content-Type", "application/x-tar")];
        let answer = http.request("POST", path, &headers, busybox_tar());
        let text = answer.text();
        assert!(answer.status == 200 && !text.contains("errorDetail"), "import busybox: {text}");
    }

    /// A client of the engine's socket.
    pub fn http(&self) -> Http {
        Http::new(self.path(self.engine().socket()))
    }

    /// A client program.
    pub fn client(&self, cli: Cli) -> Client<'_> {
        Client::new(self, cli)
    }

    /// The real `docker` client.
    pub fn docker(&self) -> Client<'_> {
        self.client(Cli::Docker)
    }

    /// Runs a command to its end.
    #[track_caller]
    pub fn run<W: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = W>) -> Output {
        self.run_with_input(words, None)
    }

    /// Runs a command to its end, with bytes on its standard input.
    #[track_caller]
    pub fn run_with_input<W: AsRef<OsStr>>(
        &self,
        words: impl IntoIterator<Item = W>,
        input: Option<&[u8]>,
    ) -> Output {
        let words = strings(words);
        match finish(&words.join(" "), self.command(&words), input) {
            Ok(output) => output,
            Err(error) => panic!("{error:#}"),
        }
    }

    /// Runs a line of shell to its end.
    #[track_caller]
    pub fn sh(&self, line: &str) -> Output {
        let mut output = self.run(["sh", "-c", line]);
        output.command = line.to_owned();
        output
    }

    /// Runs a command in a container (`docker exec`).
    #[track_caller]
    pub fn exec_in(&self, container: &str, line: &str) -> Output {
        self.sh(&format!("docker exec {container} {line}"))
    }

    /// Starts a command beside the test.
    #[track_caller]
    pub fn spawn<W: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = W>) -> Running {
        let words = strings(words);
        match Running::start(&words.join(" "), self.command(&words)) {
            Ok(running) => running,
            Err(error) => panic!("{error:#}"),
        }
    }

    /// Starts a command on a terminal of 24 rows and 80 columns.
    #[track_caller]
    pub fn terminal<W: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = W>) -> Terminal {
        let mut all = strings(["setsid", "--ctty", "--wait"]);
        all.extend(strings(words));
        match Terminal::start(self.command(&all), 24, 80) {
            Ok(terminal) => terminal,
            Err(error) => panic!("{error:#}"),
        }
    }

    /// Plugs the host into a segment, as interface `name` with `address` (`10.99.0.1/24`).
    #[track_caller]
    pub fn join_segment(&self, segment: &Segment, name: &str, address: &str) {
        if let Err(error) = segment.plug(self.pid(), name) {
            panic!("{error:#}");
        }
        self.sh(&format!("ip addr add {address} dev {name} && ip link set {name} up")).ok();
    }

    /// Files into which a process writes its pid to enter the host's cgroups.
    pub fn cgroup_files(&self) -> Vec<PathBuf> {
        self.cgroups.leaves()
    }

    /// A command that will run in the host.
    fn command(&self, words: &[String]) -> Command {
        let mut command = Command::new("sh");
        let script = format!(
            "{} exec nsenter --target {} --mount --net --pid --uts --ipc --cgroup \"$@\"",
            enter(&self.cgroups.leaves()),
            self.init.pid()
        );
        command.args(["-c", &script, "sh"]).args(words);
        command.env("HOME", "/var/lib/home").env("TERM", "xterm").current_dir("/");
        command.env("DOCKER_HOST", format!("unix://{}", self.engine().socket()));
        for name in ["DOCKER_CONTEXT", "DOCKER_API_VERSION", "DOCKER_CONFIG"] {
            command.env_remove(name);
        }
        command
    }
}

impl Drop for TestHost {
    fn drop(&mut self) {
        let panicking = std::thread::panicking();
        if panicking {
            eprintln!("--- the daemon's log\n{}", tail(&self.daemon_log(), 60));
        }
        *self.daemon.borrow_mut() = None;
        let ended = self.init.end();
        let removed = fs::remove_dir_all(&self.base);
        // The last host takes the directory of all with it.
        let _ = fs::remove_dir(base_of_all());
        if !panicking {
            assert!(ended.is_ok(), "test host: {ended:?}");
            assert!(removed.is_ok(), "test host: remove {}: {removed:?}", self.base.display());
        }
    }
}

/// The directories of one host. Another host that ends may take the one above away meanwhile.
fn make_directories(base: &Path) -> std::io::Result<()> {
    let make = || {
        let dirs = ["data", "etc-upper", "etc-work", "files"];
        dirs.iter().try_for_each(|dir| fs::create_dir_all(base.join(dir)))
    };
    make().or_else(|_| make()).or_else(|_| make())
}

fn base_of_all() -> PathBuf {
    let root = std::env::var_os("HAWSER_TEST_DIR").unwrap_or_else(|| "/var/tmp".into());
    PathBuf::from(root).join("hawser-test")
}

/// Removes the directories and cgroups of hosts whose test process was killed.
fn sweep(base_of_all: &Path) -> Result<()> {
    let hierarchies = Hierarchy::all()?;
    let parents = hierarchies.iter().map(|h| h.path.as_path()).chain([base_of_all]);
    for entry in parents.filter_map(|parent| fs::read_dir(parent).ok()).flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|n| n.strip_prefix("hawser-test-")?.split('-').next());
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            let _ = fs::remove_dir_all(entry.path());
            crate::cgroup::remove_stale(&entry.path());
        }
    }
    Ok(())
}

fn strings<W: AsRef<OsStr>>(words: impl IntoIterator<Item = W>) -> Vec<String> {
    words.into_iter().map(|word| word.as_ref().to_string_lossy().into_owned()).collect()
}

fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
