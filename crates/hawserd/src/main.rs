//! `hawserd`, the daemon: reads what it is told, opens the engine, serves the API on it.
//!
//! In: flags, `daemon.json`, signals. Out: the API on sockets, a log on stderr, an exit status.
//! SIGTERM and SIGINT end it and leave containers running; SIGHUP makes it read its file again.

mod config;
mod ignored;
mod limits;
mod listen;
mod log;
mod notify;
mod options;
mod pidfile;
mod serve;
mod settings;
mod signals;
mod values;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use hawser_engine::{Engine, Settings};
use listen::Listener;
use tokio_util::sync::CancellationToken;

use config::Config;
use log::Log;
use pidfile::Pidfile;

/// Threads that run asynchronous work: what the daemon does itself is little.
const WORKERS: usize = 2;
/// Threads that blocking work may take at most; they end when idle.
const BLOCKING: usize = 128;

fn main() -> ExitCode {
    let config = match config::read(std::env::args_os()) {
        Ok(config) => config,
        // Help and version are answers, not errors: clap knows where each goes.
        Err(config::Error::CommandLine(error)) => error.exit(),
        Err(error) => return failed(&error.into()),
    };
    match start(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("hawserd: {error:#}");
    ExitCode::FAILURE
}

fn start(config: &Config) -> anyhow::Result<()> {
    let options = &config.options;
    let settings = settings::settings(options)?;
    if config.validate {
        Log::check(options)?;
        listen::check(options)?;
        println!("configuration OK");
        return Ok(());
    }
    let log = Log::start(options)?;
    ignored::log(&config.ignored);
    anyhow::ensure!(
        rustix::process::geteuid().is_root(),
        "the daemon needs root: it makes network namespaces, links and mounts. Start it as root"
    );
    let pidfile = options.pidfile.clone().unwrap_or_else(|| settings.exec_root.join("hawserd.pid"));
    let _pidfile = Pidfile::take(&pidfile)?;
    if config.purge {
        let count = hawser_engine::purge(&settings.exec_root)?;
        println!("removed {count} objects from the kernel");
        return Ok(());
    }
    limits::raise_open_files();
    let listeners = listen::bind(options)?;
    let metrics = listen::bind_metrics(options)?;
    let sockets: Vec<PathBuf> = listeners.iter().filter_map(Listener::own_path).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .max_blocking_threads(BLOCKING)
        .enable_all()
        .build()
        .context("cannot start threads")?;
    let served = runtime.block_on(run(config, settings, Doors { api: listeners, metrics }, &log));
    // What is still blocked (a read of a log, say) has nothing to lose.
    runtime.shutdown_background();
    for socket in sockets {
        // Gone already is as good.
        let _ = std::fs::remove_file(socket);
    }
    served
}

/// Where the daemon listens.
struct Doors {
    api: Vec<Listener>,
    metrics: Option<Listener>,
}

async fn run(config: &Config, settings: Settings, doors: Doors, log: &Log) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let signals = signals::Signals::new().context("cannot listen to signals")?;
    let engine = Engine::open(settings).await.context("cannot start the engine")?;
    let api = serve::serve(doors.api, hawser_api::router(engine.clone()), stop.clone());
    let metrics = hawser_api::metrics_router(engine.clone());
    let metrics = serve::serve(doors.metrics.into_iter().collect(), metrics, stop.clone());
    notify::tell(notify::READY);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "hawserd is ready");
    let (served, counted, ()) = tokio::join!(api, metrics, async {
        signals.until_stop(config, log).await;
        notify::tell(notify::STOPPING);
        stop.cancel();
    });
    engine.shutdown().await;
    tracing::info!("hawserd has stopped; containers run on");
    served.and(counted).context("cannot serve")
}
