//! Registries: pull, push, login, with Debian's `docker-registry` on the loopback of a test host.

use hawser_testkit::{Cli, EngineKind, PASSWORD, Registry, RegistryOptions, TestHost, program};

with_both_clients!(there_and_back, run_pulls, logins, typed);

/// The digest that a push told.
fn digest_of(pushed: &str) -> String {
    let line = pushed.lines().find(|line| line.contains("digest: sha256:")).unwrap();
    line.split_whitespace().find(|word| word.starts_with("sha256:")).unwrap().to_owned()
}

fn there_and_back(cli: Cli) {
    let host = TestHost::running();
    let _registry = Registry::start(&host);
    let c = host.client(cli);
    let id = c.ok("images -q --no-trunc busybox");
    c.ok("tag busybox localhost:5000/team/box:1");
    let pushed = c.ok("push localhost:5000/team/box:1");
    assert!(pushed.contains("The push refers to repository [localhost:5000/team/box]"), "{pushed}");
    assert!(pushed.contains(": Pushed") && pushed.contains("1: digest: sha256:"), "{pushed}");
    let digest = digest_of(&pushed);
    let named = format!("localhost:5000/team/box@{digest}");
    assert_eq!(c.inspect("busybox", "{{range .RepoDigests}}{{.}} {{end}}"), named);
    assert!(c.ok("images --digests").contains(&digest));
    let again = c.ok("push localhost:5000/team/box:1");
    assert!(again.contains(": Layer already exists"), "{again}");
    c.ok("tag busybox localhost:5000/other/box");
    let mounted = c.ok("push localhost:5000/other/box");
    assert!(mounted.contains("Using default tag: latest"), "{mounted}");
    assert!(mounted.contains(": Mounted from team/box"), "{mounted}");
    c.ok("tag busybox localhost:5000/team/box:2");
    c.ok("push -a localhost:5000/team/box");
    c.ok(
        "rmi localhost:5000/team/box:1 localhost:5000/team/box:2 localhost:5000/other/box busybox",
    );
    assert_eq!(c.ok("images -q"), "");

    let pulled = c.ok("pull localhost:5000/team/box:1");
    // Steps in between ("Verifying Checksum") may come too quickly to be told, by dockerd as well.
    for line in [
        "1: Pulling from team/box",
        ": Pulling fs layer",
        ": Download complete",
        ": Pull complete",
        &format!("Digest: {digest}"),
        "Status: Downloaded newer image for localhost:5000/team/box:1",
        "\nlocalhost:5000/team/box:1",
    ] {
        assert!(pulled.contains(line), "{line:?} in {pulled}");
    }
    let path = "/distribution/localhost:5000/team/box:1/json";
    let remote = host.http().get(path).json();
    assert_eq!(remote["Descriptor"]["digest"], digest.as_str());
    assert_eq!(remote["Platforms"][0]["os"], "linux");
    assert_eq!(c.ok("images -q --no-trunc"), id, "the same image came back");
    assert_eq!(c.ok("run --rm localhost:5000/team/box:1 echo hi"), "hi");
    let again = c.ok("pull localhost:5000/team/box:1");
    assert!(again.contains("Status: Image is up to date for localhost:5000/team/box:1"), "{again}");
    assert_eq!(c.ok("pull -q localhost:5000/team/box:2"), "localhost:5000/team/box:2");
    let all = c.ok("pull -a localhost:5000/team/box");
    assert!(all.contains("1: Pulling from team/box") && all.contains("2: Pulling from"), "{all}");
    c.ok(&format!("pull {named}"));
    c.ok("rmi localhost:5000/team/box:1 localhost:5000/team/box:2");
    c.ok(&format!("pull {named}"));
    assert_eq!(
        c.ok("images --digests --format '{{.Tag}} {{.Digest}}'"),
        format!("<none> {digest}")
    );
    assert_eq!(c.ok(&format!("run --rm {named} echo by-digest")), "by-digest");

    let missing =
        "manifest for localhost:5000/team/box:no not found: manifest unknown: manifest unknown";
    c.fails("pull localhost:5000/team/box:no", 1, missing);
    c.fails("push localhost:5000/team/none", 1, "localhost:5000/team/none");
    // Nobody is there.
    c.fails("pull localhost:5999/box", 1, "localhost:5999");
    let events = c.ok(
        "events --since 1h --until 0s --filter type=image --format '{{.Action}} {{.Actor.ID}}'",
    );
    if host.engine() == EngineKind::Hawser {
        assert!(events.contains("push localhost:5000/team/box:1"), "{events}");
        assert!(events.contains("pull localhost:5000/team/box:1"), "{events}");
    }
}

fn run_pulls(cli: Cli) {
    let host = TestHost::running();
    let _registry = Registry::start(&host);
    let c = host.client(cli);
    c.ok("tag busybox localhost:5000/box");
    c.ok("push -q localhost:5000/box");
    c.ok("rmi localhost:5000/box");
    c.fails("run --rm --pull never localhost:5000/box true", 125, "localhost:5000/box");
    let ran = c.run("run --rm localhost:5000/box echo hi").ok();
    assert_eq!(ran.text(), "hi");
    assert!(
        ran.stderr.contains("Unable to find image 'localhost:5000/box:latest' locally"),
        "{ran}"
    );
    assert!(
        ran.stderr.contains("Status: Downloaded newer image for localhost:5000/box:latest"),
        "{ran}"
    );
    c.ok("rmi localhost:5000/box");
    let quiet = c.run("run --rm -q localhost:5000/box echo hi").ok();
    assert_eq!(quiet.text(), "hi");
    assert!(!quiet.stderr.contains("Pulling"), "{quiet}");
    let always = c.run("run --rm --pull always localhost:5000/box echo hi").ok();
    assert!(
        always.stderr.contains("Image is up to date for localhost:5000/box:latest"),
        "{always}"
    );
    c.ok("rmi localhost:5000/box");
    c.ok("create --name c1 localhost:5000/box echo made");
    assert_eq!(c.ok("start -a c1"), "made");
    c.ok("rm c1");
    let missing = c.run("run --rm localhost:5000/none true");
    assert_eq!(missing.status, 125, "{missing}");
    assert!(
        missing.stderr.contains("manifest for localhost:5000/none:latest not found"),
        "{missing}"
    );
}

fn logins(cli: Cli) {
    let host = TestHost::running();
    let options = RegistryOptions { port: 5000, user: Some("me"), tls: false };
    let _registry = Registry::with(&host, options);
    let c = host.client(cli);
    c.ok("tag busybox localhost:5000/box");
    assert_eq!(c.run("push localhost:5000/box").status, 1);
    let refused = c.run("pull localhost:5000/box");
    assert_eq!(refused.status, 1, "{refused}");
    if host.engine() == EngineKind::Hawser {
        let why = "pull access denied for localhost:5000/box, repository does not exist or may \
                   require 'docker login'";
        assert!(refused.stderr.contains(why), "{refused}");
    }
    let login = |password: &str| {
        let words = format!("{} login -u me --password-stdin localhost:5000", program(cli));
        host.run_with_input(["sh", "-c", &words], Some(password.as_bytes()))
    };
    let wrong = login("wrong");
    assert_eq!(wrong.status, 1, "{wrong}");
    assert!(wrong.stderr.to_lowercase().contains("unauthorized"), "{wrong}");
    let right = login(&format!("{PASSWORD}\n")).ok();
    assert!(right.stdout.contains("Login Succeeded"), "{right}");
    let kept = host
        .sh("cat /var/lib/home/.docker/config.json; stat -c %a /var/lib/home/.docker/config.json")
        .ok();
    assert!(kept.text().contains("localhost:5000") && kept.text().ends_with("600"), "{kept}");
    c.ok("push localhost:5000/box");
    c.ok("rmi localhost:5000/box");
    assert_eq!(c.ok("run --rm localhost:5000/box echo hi"), "hi");
    // What one client keeps, the other uses.
    let other = if cli == Cli::Docker { Cli::Hawser } else { Cli::Docker };
    host.client(other).ok("pull localhost:5000/box");
    c.ok("logout localhost:5000");
    assert_eq!(c.run("pull localhost:5000/box").status, 1);
    helper(&host, cli);
}

/// The same with a program that keeps the password.
fn helper(host: &TestHost, cli: Cli) {
    let files = host.files().display().to_string();
    let script = format!(
        "#!/bin/sh\ncase $1 in\nstore) cat > {files}/kept ;;\nget) [ -e {files}/kept ] && cat {files}/kept \
         || {{ echo credentials not found in native keychain; exit 1; }} ;;\n\
         erase) rm -f {files}/kept ;;\nesac\n"
    );
    std::fs::write(host.files().join("docker-credential-drawer"), script).unwrap();
    host.sh(&format!("chmod 755 {files}/docker-credential-drawer")).ok();
    host.sh("echo '{\"credsStore\": \"drawer\"}' > /var/lib/home/.docker/config.json").ok();
    let run = |line: &str| host.sh(&format!("PATH={files}:$PATH; {} {line}", program(cli)));
    run(&format!("login -u me -p {PASSWORD} localhost:5000")).ok();
    let kept = host.sh(&format!("cat {files}/kept /var/lib/home/.docker/config.json")).ok().text();
    assert!(kept.contains("\"Username\":\"me\""), "{kept}");
    assert!(!kept.contains("\"auth\":"), "the file has no password: {kept}");
    run("pull localhost:5000/box").ok();
    run("logout localhost:5000").ok();
    assert!(!host.files().join("kept").exists());
    assert_eq!(run("pull localhost:5000/box").status, 1);
}

/// A certificate for the name `registry.test`, and the authority that signed it.
fn certificates(host: &TestHost) {
    let at = host.files().display().to_string();
    host.sh(&format!(
        "cd {at} && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
           -subj /CN=authority -keyout ca.key -out ca.crt \
           -addext basicConstraints=critical,CA:TRUE 2>/dev/null \
         && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=registry.test \
           -keyout registry.key -out registry.csr 2>/dev/null \
         && printf 'subjectAltName=DNS:registry.test' > san \
         && openssl x509 -req -in registry.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 \
           -extfile san -out registry.crt 2>/dev/null"
    ))
    .ok();
    host.sh("echo 127.0.0.1 registry.test >> /etc/hosts").ok();
}

#[test]
fn tls_is_verified_unless_told_otherwise() {
    let host = TestHost::new();
    if host.engine() == EngineKind::Docker {
        return; // Its directory of certificates has another name.
    }
    certificates(&host);
    let _tls = Registry::with(&host, RegistryOptions { port: 5443, user: None, tls: true });
    let _plain = Registry::start(&host);
    host.start_daemon(&[]);
    host.load_busybox();
    let docker = host.docker();
    docker.ok("tag busybox registry.test:5443/box");
    docker.ok("tag busybox registry.test:5000/box");
    docker.fails("push registry.test:5443/box", 1, "invalid peer certificate");
    docker.fails("push registry.test:5000/box", 1, "cannot reach the registry at https://");
    host.sh(&format!(
        "mkdir -p /etc/hawser/certs.d/registry.test:5443 && cp {}/ca.crt /etc/hawser/certs.d/registry.test:5443/",
        host.files().display()
    ))
    .ok();
    docker.ok("push registry.test:5443/box");
    host.sh("rm -r /etc/hawser/certs.d").ok();
    docker.fails("push registry.test:5443/box", 1, "invalid peer certificate");
    host.stop_daemon();
    host.start_daemon(&[
        "--insecure-registry",
        "registry.test:5443",
        "--insecure-registry=registry.test:5000",
    ]);
    docker.ok("push registry.test:5443/box");
    docker.ok("push registry.test:5000/box");
    assert!(docker.ok("info").contains("registry.test:5443"));
}

#[test]
fn a_mirror_stands_in_for_docker_io() {
    let host = TestHost::running_with(&["--registry-mirror", "http://127.0.0.1:5000"]);
    let _registry = Registry::start(&host);
    let docker = host.docker();
    docker.ok("tag busybox localhost:5000/library/busybox");
    docker.ok("push localhost:5000/library/busybox");
    docker.ok("rmi localhost:5000/library/busybox busybox");
    let ran = docker.run("run --rm busybox echo hi").ok();
    assert_eq!(ran.text(), "hi");
    assert!(ran.stderr.contains("latest: Pulling from library/busybox"), "{ran}");
    assert_eq!(docker.ok("images --format '{{.Repository}}:{{.Tag}}'"), "busybox:latest");
    // What the mirror does not have is asked of Docker, which no test reaches.
    docker.fails("pull no/such", 1, "registry-1.docker.io");
}

fn typed(cli: Cli) {
    let host = TestHost::running();
    let options = RegistryOptions { port: 5000, user: Some("me"), tls: false };
    let _registry = Registry::with(&host, options);
    let c = host.client(cli);
    let mut login = c.terminal("login localhost:5000");
    login.expect("Username: ");
    login.type_keys("me\r");
    login.expect("Password: ");
    login.type_keys(&format!("{PASSWORD}\r"));
    login.expect("Login Succeeded");
    assert_eq!(login.finish(), 0);
    assert!(!login.screen().contains(PASSWORD), "{}", login.screen());
    c.ok("tag busybox localhost:5000/box");
    let mut push = c.terminal("push localhost:5000/box");
    assert_eq!(push.finish(), 0);
    // Each layer has a line of its own, written anew.
    let screen = push.screen();
    assert!(screen.contains("\u{1b}[1A\u{1b}[2K\r") && screen.contains(": Pushed"), "{screen:?}");
    c.ok("logout localhost:5000");
    if cli == Cli::Hawser {
        let mut given_up = c.terminal("login -u me localhost:5000");
        given_up.expect("Password: ");
        given_up.type_keys("\u{3}");
        assert_eq!(given_up.finish(), 130);
    }
}
