//! Connects again and again while somebody restarts the daemon: run inside a network namespace.

use std::io::{self, BufRead as _, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// How long an answer may take: a restart lies between.
const PATIENCE: Duration = Duration::from_secs(20);

/// The arguments of `knock`.
#[derive(clap::Args)]
pub struct Options {
    address: SocketAddr,
}

/// What became of the connections.
#[derive(Default)]
struct Count {
    answered: u64,
    refused: u64,
    cut: u64,
}

/// Connects until standard input ends, then prints "ANSWERED REFUSED CUT".
pub fn run(options: &Options) -> io::Result<ExitCode> {
    let over = Arc::new(AtomicBool::new(false));
    let watch = Arc::clone(&over);
    thread::spawn(move || {
        let _ = io::stdin().lock().read_until(0, &mut Vec::new());
        watch.store(true, Ordering::Relaxed);
    });
    let mut count = Count::default();
    while !over.load(Ordering::Relaxed) {
        match ask(options.address) {
            Ok(answer) if answer.starts_with("HTTP/1.1 200 ") => count.answered += 1,
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => count.refused += 1,
            Ok(_) | Err(_) => count.cut += 1,
        }
        thread::sleep(Duration::from_millis(1));
    }
    writeln!(io::stdout(), "{} {} {}", count.answered, count.refused, count.cut)?;
    Ok(ExitCode::SUCCESS)
}

fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
