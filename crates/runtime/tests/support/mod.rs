//! A place to run containers in: namespaces of the test's own, a root file system made of the machine's busybox,
//! and a check that nothing is left.
#![expect(clippy::unwrap_used, reason = "a test host that cannot be made fails its test")]

use std::fs;
use std::future::Future;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hawser_runtime::{Attachment, Bundle, Config, Exit, LogOptions, Process, Runtime, Stream};
use rustix::mount::{MountPropagationFlags, OpenTreeFlags};
use rustix::thread::UnshareFlags;

const APPLETS: [&str; 17] = [
    "cat", "dd", "echo", "env", "head", "hostname", "id", "ls", "mount", "pwd", "sh", "sleep",
    "stty", "true", "tty", "unshare", "wc",
];

/// One test's host.
pub struct TestHost {
    pub runtime: Runtime,
    pub config: Config,
    pub folder: tempfile::TempDir,
    cgroup: String,
}

/// Runs a test on a thread and in namespaces of its own; fails when it leaves something behind.
pub fn on_test_host<F: Future<Output = ()>>(test: impl FnOnce(TestHost) -> F + Send + 'static) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let run = move || {
        let flags = UnshareFlags::NEWNS | UnshareFlags::FS | UnshareFlags::NEWNET;
        unshare(flags);
        let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
        rustix::mount::mount_change("/", private).unwrap();
        let cgroup = format!("hawser-runtime-test-{}-{number}", std::process::id());
        let _guard = Guard(cgroup.clone());
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let kept = tokio.block_on(async {
            let host = TestHost::new(cgroup.clone()).await;
            let kept = host.folder.path().to_path_buf();
            let timed = tokio::time::timeout(Duration::from_secs(20), test(host)).await;
            timed.expect("the test hangs");
            kept
        });
        assert_nothing_left(&kept, &cgroup);
    };
    std::thread::spawn(run).join().unwrap();
}

#[expect(
    deprecated,
    reason = "its hazard is sharing descriptors no more, which these flags do not ask for"
)]
fn unshare(flags: UnshareFlags) {
    rustix::thread::unshare(flags).expect("these tests need root");
}

/// Ends the containers of a test that failed.
struct Guard(String);

impl Drop for Guard {
    fn drop(&mut self) {
        for folder in cgroup_folders(&self.0) {
            for container in fs::read_dir(&folder).into_iter().flatten().flatten() {
                // What is frozen does not die.
                drop(fs::write(container.path().join("freezer.state"), "THAWED"));
                let processes = fs::read_to_string(container.path().join("cgroup.procs"));
                for pid in processes.unwrap_or_default().lines().filter_map(|pid| pid.parse().ok())
                {
                    let pid = rustix::process::Pid::from_raw(pid).unwrap();
                    let _gone = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
                }
                for _ in 0..50 {
                    if fs::remove_dir(container.path()).is_ok() || !container.path().is_dir() {
                        break;
                    }
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
            drop(fs::remove_dir(folder));
        }
    }
}

impl TestHost {
    async fn new(cgroup: String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        make_rootfs(&folder.path().join("rootfs"));
        let config = Config::new(folder.path().join("exec"));
        let runtime = Runtime::new(config.clone()).await.unwrap();
        Self { runtime, config, folder, cgroup }
    }

    /// A detached mount of the root file system.
    pub fn rootfs(&self) -> OwnedFd {
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        rustix::mount::open_tree(rustix::fs::CWD, self.folder.path().join("rootfs"), flags).unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A container that runs this command of the shell.
    pub fn shell(&self, id: &str, script: &str) -> Bundle {
        self.command(id, &["sh", "-c", script])
    }

    pub fn command(&self, id: &str, args: &[&str]) -> Bundle {
        let args = args.iter().map(ToString::to_string).collect();
        let process = Process { args, ..Process::default() };
        let mut bundle = Bundle::new(id, self.rootfs(), process);
        bundle.cgroup_parent = Some(format!("/{}", self.cgroup));
        bundle.log_path = Some(self.path(&format!("{id}.log")));
        bundle
    }

    /// Runs a container to its end and gives its output and exit.
    pub async fn run(&self, bundle: Bundle) -> (String, String, Exit) {
        let id = bundle.id.clone();
        self.runtime.create(bundle).await.unwrap();
        let mut attachment = self.runtime.attach(&id, false).await.unwrap();
        self.runtime.start(&id).await.unwrap();
        let (stdout, stderr) = read_all(&mut attachment).await;
        let exit = self.runtime.wait(&id).await.unwrap();
        self.runtime.delete(&id).await.unwrap();
        (stdout, stderr, exit)
    }

    pub async fn log(&self, id: &str, options: LogOptions) -> String {
        let path = self.path(&format!("{id}.log"));
        let mut logs = self.runtime.logs(id, path, options).await.unwrap();
        let mut text = String::new();
        while let Some(entry) = logs.next().await.unwrap() {
            text.push_str(std::str::from_utf8(&entry.data).unwrap());
        }
        text
    }
}

/// What is mounted in this thread's namespace.
pub fn mount_points() -> Vec<String> {
    let text = fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
    text.lines().filter_map(|line| line.split(' ').nth(4)).map(str::to_owned).collect()
}

pub fn everything() -> LogOptions {
    LogOptions { stdout: true, stderr: true, ..LogOptions::default() }
}

/// Reads to the end.
pub async fn read_all(attachment: &mut Attachment) -> (String, String) {
    let (mut stdout, mut stderr) = (String::new(), String::new());
    while let Some(chunk) = attachment.output.next().await.unwrap() {
        let text = std::str::from_utf8(&chunk.data).unwrap();
        match chunk.stream {
            Stream::Stdout => stdout.push_str(text),
            Stream::Stderr => stderr.push_str(text),
        }
    }
    (stdout, stderr)
}

/// Reads until the output holds the text.
pub async fn read_until(attachment: &mut Attachment, wanted: &str) -> String {
    let mut text = String::new();
    while !text.contains(wanted) {
        let chunk = attachment.output.next().await.unwrap();
        let chunk = chunk.unwrap_or_else(|| panic!("ended after {text:?}"));
        text.push_str(std::str::from_utf8(&chunk.data).unwrap());
    }
    text
}

fn make_rootfs(root: &Path) {
    for folder in ["bin", "dev", "etc", "proc", "root", "sys", "tmp"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    fs::copy("/bin/busybox", root.join("bin/busybox")).expect("the package busybox-static");
    for applet in APPLETS {
        symlink("busybox", root.join("bin").join(applet)).unwrap();
    }
    fs::write(root.join("etc/passwd"), "root:x:0:0::/root:/bin/sh\nweb:x:33:34::/tmp:/bin/sh\n")
        .unwrap();
    fs::write(root.join("etc/group"), "root:x:0:\nwheel:x:10:root\nweb:x:34:\n").unwrap();
    fs::write(root.join("etc/notexec"), "text").unwrap();
    fs::set_permissions(root.join("etc/notexec"), fs::Permissions::from_mode(0o644)).unwrap();
}

fn assert_nothing_left(folder: &Path, cgroup: &str) {
    let name = folder.to_str().unwrap().as_bytes();
    let mut processes = Vec::new();
    for _ in 0..100 {
        processes = processes_with(name);
        if processes.is_empty() {
            break;
        }
        // conmon ends a moment after it has told the exit code.
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(processes, Vec::<String>::new(), "processes are left");
    for controller in cgroup_folders(cgroup) {
        let children = fs::read_dir(&controller).unwrap();
        let left: Vec<_> = children.flatten().filter(|entry| entry.path().is_dir()).collect();
        assert!(left.is_empty(), "cgroups are left: {left:?}");
        fs::remove_dir(&controller).unwrap();
    }
    let mounts = fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
    assert!(!mounts.contains(folder.to_str().unwrap()), "mounts are left");
    assert!(!folder.exists(), "files are left");
}

fn cgroup_folders(cgroup: &str) -> Vec<PathBuf> {
    let root = Path::new("/sys/fs/cgroup");
    let controllers = fs::read_dir(root).unwrap().flatten().map(|entry| entry.path().join(cgroup));
    controllers.chain([root.join(cgroup)]).filter(|path| path.is_dir()).collect()
}

fn processes_with(text: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if command.windows(text.len()).any(|window| window == text) {
            found.push(String::from_utf8_lossy(&command).replace('\0', " "));
        }
    }
    found
}
