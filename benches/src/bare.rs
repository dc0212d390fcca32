//! Bare `conmon` and `crun`: what a start costs without an engine.
//!
//! In: the bundle of a container that hawserd runs (its `config.json`, a root file system of the same
//! image on overlayfs); out: the time from starting `conmon` to the end of `crun start`. The other
//! half of this file runs in the test host, as a program of its own that answers line by line.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hawser_testkit::{TestHost, busybox_tar};
use rustix::fd::AsRawFd;
use serde_json::{Value, json};

use crate::engine::Engine;
use crate::runner::Runner;

/// The program in the test host.
#[derive(Debug)]
pub struct Bare(Runner);

impl Bare {
    /// Takes the bundle of a container that `engine` runs on `host`, and gets ready.
    ///
    /// # Errors
    /// When the bundle is not found.
    pub fn start(host: &TestHost, engine: &Engine, image: &str) -> Result<Bare> {
        let docker = ["--host", &format!("unix://{}", host.engine().socket())].join(" ");
        let run = format!("docker {docker} run -d --net none {image} sleep 1000");
        let id = host.sh(&run).ok().text();
        let config = find_config(&host.path("/run/hawser"), &id)
            .or_else(|| find_config(&host.path("/var/lib/hawser"), &id))
            .with_context(|| format!("no config.json of container {id} of {}", engine.name))?;
        let bundle = host.files().join("bundle");
        for dir in ["lower", "upper", "work", "rootfs", "exits"] {
            fs::create_dir_all(bundle.join(dir))?;
        }
        fs::copy(&config, bundle.join("config.json")).context("copy the bundle's config.json")?;
        let lower = bundle.join("lower").display().to_string();
        host.run_with_input(["tar", "-C", &lower, "-x"], Some(busybox_tar())).ok();
        let program = std::env::current_exe()?.display().to_string();
        let script = format!(
            "umount /sys/fs/cgroup/unified 2> /dev/null; cd {0} && \
             mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay rootfs && \
             exec {program} bare {0}",
            bundle.display()
        );
        let runner = host.spawn(["unshare", "--mount", "sh", "-c", &script]);
        Ok(Bare(Runner::new(runner)))
    }

    /// One create and start.
    ///
    /// # Errors
    /// When one of them fails.
    pub fn run(&mut self) -> Result<Duration> {
        self.0.tell("go").context("bare conmon and crun")
    }
}

/// `config.json` in the folder of container `id`, below `root`.
fn find_config(root: &Path, id: &str) -> Option<PathBuf> {
    for entry in fs::read_dir(root).ok()?.flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            let config = path.join("config.json");
            if path.to_string_lossy().contains(id) && config.is_file() {
                return Some(config);
            }
            if let Some(found) = find_config(&path, id) {
                return Some(found);
            }
        }
    }
    None
}

/// The program in the test host: one create and start for each line read, its microseconds written.
///
/// # Errors
/// When conmon or crun fails.
pub fn serve(bundle: &Path) -> Result<()> {
    let config: Value = serde_json::from_slice(&fs::read(bundle.join("config.json"))?)?;
    for (run, line) in std::io::stdin().lines().enumerate() {
        line?;
        let took = once(bundle, config.clone(), &format!("bare{run}"))?;
        println!("{}", took.as_micros());
        std::io::stdout().flush()?;
    }
    Ok(())
}

fn once(bundle: &Path, mut config: Value, id: &str) -> Result<Duration> {
    config["linux"]["cgroupsPath"] = json!(format!("/{id}"));
    config["root"]["path"] = json!(bundle.join("rootfs"));
    fs::write(bundle.join("config.json"), config.to_string())?;
    let (read, write) = rustix::pipe::pipe()?;
    rustix::io::fcntl_setfd(&read, rustix::io::FdFlags::CLOEXEC)?;
    let mut conmon = Command::new("conmon");
    conmon.args([
        "--api-version",
        "1",
        "--full-attach",
        "--no-sync-log",
        "--cid",
        id,
        "--cuuid",
        id,
    ]);
    conmon.args(["--name", id, "--runtime", "/usr/bin/crun", "--bundle"]).arg(bundle);
    for (option, file) in [
        ("--container-pidfile", "container.pid"),
        ("--conmon-pidfile", "conmon.pid"),
        ("--exit-dir", "exits"),
    ] {
        conmon.arg(option).arg(bundle.join(file));
    }
    conmon.arg("--log-path").arg(format!("k8s-file:{}", bundle.join("log").display()));
    conmon.env("_OCI_SYNCPIPE", write.as_raw_fd().to_string());
    conmon.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
    let begin = Instant::now();
    let status = conmon.status().context("start conmon")?;
    drop(write);
    ensure!(status.success(), "conmon: {status}");
    let mut message = String::new();
    // Conmon keeps the pipe: one line, not all of it.
    BufReader::new(fs::File::from(read)).read_line(&mut message)?;
    // The process's number, or what went wrong as a negative one.
    let answer: Value = serde_json::from_str(&message).unwrap_or_default();
    ensure!(answer["data"].as_i64().is_some_and(|pid| pid > 0), "crun create: {message}");
    let status = Command::new("crun").args(["start", id]).status().context("start crun")?;
    let took = begin.elapsed();
    ensure!(status.success(), "crun start: {status}");
    Command::new("crun").args(["delete", "--force", id]).status().context("crun delete")?;
    Ok(took)
}
