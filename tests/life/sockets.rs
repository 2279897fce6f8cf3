//! Sockets that a service manager opens, or keeps from one daemon for the next.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixListener;
use std::process::Command;

use rustix::net::{AddressFamily, SocketFlags, SocketType};

use crate::support::{PATIENCE, daemon, until};
use crate::systemd::Manager;

/// A request that is sent now, to whoever comes to answer it.
fn ask(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("a connection");
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    stream
}

fn answer(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

fn port(address: SocketAddr) -> String {
    format!("[server]\nport = {}\n", address.port())
}

#[tokio::test]
async fn nobody_is_refused_while_one_daemon_follows_another() {
    for signal in ["TERM", "KILL"] {
        let manager = Manager::new();
        let mut first = daemon().env("NOTIFY_SOCKET", &manager.path()).launch();
        let (text, socket) = manager.next_with_socket();
        let name = format!("listen-{}", first.address).replace(':', "_");
        assert_eq!(text, format!("FDSTORE=1\nFDNAME={name}\nFDPOLL=0\n"), "SIG{signal}");
        first.until_ready().await;
        first.signal(signal);
        first.ended().await;

        let waiting: Vec<TcpStream> = (0..50).map(|_| ask(first.address)).collect();
        let config = port(first.address);
        let builder = daemon().config(&config).port_from_config().inherits(socket, &name);
        let second = builder.env("NOTIFY_SOCKET", &manager.path()).launch();
        assert_eq!(second.address, first.address, "SIG{signal}");
        for stream in waiting {
            let answer = answer(stream);
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "SIG{signal}: {answer}");
        }
        assert_eq!(manager.next_with_socket().0, text, "it is kept for the next one too");
    }
}

#[tokio::test]
async fn a_socket_that_is_not_wanted_any_more_is_given_up() {
    let old = TcpListener::bind("127.0.0.2:0").expect("a socket");
    let address = old.local_addr().expect("an address");
    let manager = Manager::new();
    let builder = daemon().inherits(old, "listen-127.0.0.2_1");
    let daemon = builder.env("NOTIFY_SOCKET", &manager.path()).launch();
    let forgotten = manager.next();
    assert_eq!(forgotten, "FDSTOREREMOVE=1\nFDNAME=listen-127.0.0.2_1\n");
    assert!(TcpStream::connect(address).is_err(), "it is closed");
    daemon.until_ready().await;
}

#[tokio::test]
async fn a_reload_exchanges_what_is_kept() {
    let manager = Manager::new();
    let builder = daemon().config("").port_from_config().argument("--host").argument("127.0.0.3");
    let first = builder.config("[server]\nport = 0\n").env("NOTIFY_SOCKET", &manager.path());
    let first = first.launch();
    let (before, _socket) = manager.next_with_socket();
    manager.until("READY=1");
    let free = TcpListener::bind("127.0.0.3:0").expect("a port").local_addr().expect("an address");
    first.reload(&port(free));
    let (after, _socket) = manager.next_with_socket();
    assert_eq!(after, format!("FDSTORE=1\nFDNAME=listen-127.0.0.3_{}\nFDPOLL=0\n", free.port()));
    let name = before.lines().find(|line| line.starts_with("FDNAME=")).expect("its name");
    assert_eq!(manager.next(), format!("FDSTOREREMOVE=1\n{name}\n"));
}

#[tokio::test]
async fn the_sockets_of_a_unit_are_served_instead_of_the_address() {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let address = socket.local_addr().expect("an address");
    let manager = Manager::new();
    let builder = daemon().config("[server]\nport = 1\n").port_from_config();
    let builder = builder.inherits(socket, "http").env("NOTIFY_SOCKET", &manager.path());
    let daemon = builder.start().await;
    assert_eq!(daemon.address, address);
    daemon.until_logged("server.host and server.port do not count").await;
    let messages = manager.until("READY=1");
    assert!(!messages.concat().contains("FDSTORE"), "the unit keeps them: {messages:?}");
    daemon.reload("[server]\nport = 2\n");
    daemon.until_logged("change gz-monitor.socket instead").await;
    assert_eq!(daemon.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_unix_socket_of_a_unit_is_served_and_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("unit.sock");
    let socket = UnixListener::bind(&path).expect("a socket");
    let file = folder.path().join("gz-monitor.toml");
    std::fs::write(&file, "").expect("a file");
    let script = r#"exec 3<&0 0</dev/null; export LISTEN_PID=$$; exec "$0" server --config "$1""#;
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script, crate::support::PROGRAM]).arg(&file);
    command.env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", "http");
    // What it keeps is not in the home of whoever runs this.
    command.env("XDG_STATE_HOME", folder.path()).env_remove("STATE_DIRECTORY");
    command.stdin(OwnedFd::from(socket)).stderr(std::process::Stdio::null());
    let mut child = command.spawn().expect("the daemon starts");
    let client = reqwest::Client::builder().unix_socket(path.as_path()).build().expect("a client");
    let status = until("it answers", async || {
        let answer = client.get("http://localhost/healthz").send().await.ok()?;
        Some(answer.status().as_u16())
    })
    .await;
    assert_eq!(status, 200);
    let stopped = Command::new("kill").arg(child.id().to_string()).status();
    assert!(stopped.expect("kill").success());
    assert_eq!(child.wait().expect("its end").code(), Some(0));
    assert!(path.exists(), "it is the unit's");
}

#[tokio::test]
async fn what_is_none_of_ours_is_closed() {
    let udp = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let stranger = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let idle = rustix::net::socket_with(
        AddressFamily::INET,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    );
    let file = std::fs::File::open("Cargo.toml").expect("a file");
    let address = stranger.local_addr().expect("an address");
    let check = async |socket: OwnedFd, name: &str, words: &str| {
        let link = std::fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd()));
        let link = link.expect("what it is");
        let daemon = daemon().inherits(socket, name).start().await;
        daemon.until_logged(words).await;
        let open = std::fs::read_dir(format!("/proc/{}/fd", daemon.pid())).expect("its files");
        let mut links = open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
        assert!(links.all(|open| open != link), "{words}: {link:?} is left open");
    };
    check(file.into(), "http", "\\\"http\\\": it is neither a TCP nor").await;
    check(udp.into(), "http", "\\\"http\\\": it is neither a TCP nor").await;
    check(idle.expect("a socket"), "http", "\\\"http\\\": it does not listen").await;
    check(stranger.into(), "dns", "\\\"dns\\\": the name is none of ours").await;
    assert!(TcpStream::connect(address).is_err());
}
