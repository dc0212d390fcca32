//! Debian's `docker-registry` in a test host, on the loopback.
//!
//! In: where to listen, users, certificates. Out: a registry that answers. It keeps what it is sent
//! in the host's own files.

use crate::command::Running;
use crate::testhost::TestHost;
use crate::wait::eventually;

/// The password of [`RegistryOptions::user`].
pub const PASSWORD: &str = "secret";
/// `PASSWORD` as bcrypt has it.
const HASH: &str = "$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";

/// How a registry runs.
#[derive(Debug, Clone, Default)]
pub struct RegistryOptions {
    /// Port on 127.0.0.1 (and on ::1).
    pub port: u16,
    /// The one who may use it; everyone if `None`.
    pub user: Option<&'static str>,
    /// Whether it speaks TLS, with `registry.crt` and `registry.key` of the host's files.
    pub tls: bool,
}

/// A registry that runs.
#[derive(Debug)]
pub struct Registry {
    running: Running,
    port: u16,
}

impl Registry {
    /// Starts one that is open to all, on port 5000.
    #[track_caller]
    pub fn start(host: &TestHost) -> Registry {
        Registry::with(host, RegistryOptions { port: 5000, ..RegistryOptions::default() })
    }

    /// Starts one.
    ///
    /// # Panics
    /// When it does not answer: `docker-registry` must be on PATH (`scripts/test` puts it there).
    #[track_caller]
    pub fn with(host: &TestHost, options: RegistryOptions) -> Registry {
        let files = host.files();
        let (port, at) = (options.port, files.display());
        let mut config = format!(
            "version: 0.1\nlog: {{level: warn}}\nstorage: {{filesystem: {{rootdirectory: {at}/registry-{port}}}, \
             delete: {{enabled: true}}}}\nhttp:\n  addr: localhost:{port}\n"
        );
        if options.tls {
            config +=
                &format!("  tls: {{certificate: {at}/registry.crt, key: {at}/registry.key}}\n");
        }
        if let Some(user) = options.user {
            let file = files.join(format!("htpasswd-{port}"));
            write(&file, &format!("{user}:{HASH}\n"));
            let path = file.display();
            config += &format!("auth: {{htpasswd: {{realm: test, path: {path}}}}}\n");
        }
        let path = files.join(format!("registry-{port}.yml"));
        write(&path, &config);
        let path = path.display().to_string();
        let mut running = host.spawn(["docker-registry", "serve", &path]);
        let scheme = if options.tls { "https" } else { "http" };
        let line = format!("curl -sk -o /dev/null {scheme}://localhost:{port}/v2/");
        eventually(&format!("docker-registry on port {port}"), || {
            assert!(!running.is_finished(), "docker-registry ended: {}", running.stderr());
            (host.sh(&line).status == 0).then_some(())
        });
        Registry { running, port }
    }

    /// `localhost:PORT`.
    pub fn address(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// What it has complained about.
    pub fn log(&self) -> String {
        self.running.stderr()
    }
}

fn write(path: &std::path::Path, text: &str) {
    if let Err(error) = std::fs::write(path, text) {
        panic!("write {}: {error}", path.display());
    }
}
