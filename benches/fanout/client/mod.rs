//! The process of the clients: thousands of connections on one thread, which count what arrives and
//! keep nothing of it.

mod connection;
mod frames;
mod socket;
mod tally;

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;
use tokio_rustls::rustls::ClientConfig;

use super::options::ClientOptions;
use super::{certificate, descriptors, message};
use connection::Connection;
use tally::Tally;

/// Handshakes under way at once; a listener holds more than that.
const HANDSHAKES: usize = 100;
/// All connections read into one buffer.
const BUFFER_BYTES: usize = 256 << 10;
/// The event of standard input.
const COMMANDS: u64 = u64::MAX;

/// Does what standard input says until it ends; what goes wrong is said there too.
pub fn run(options: &ClientOptions) -> anyhow::Result<()> {
    serve(options).or_else(|error| say(&format!("failed: {error:#}")))
}

fn serve(options: &ClientOptions) -> anyhow::Result<()> {
    descriptors::raise(u64::from(u16::MAX));
    let poller = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&poller, io::stdin(), EventData::new_u64(COMMANDS), EventFlags::IN)?;
    Clients {
        poller,
        address: options.address,
        tls: options.tls.as_deref().map(certificate::trusting).transpose()?,
        greetings: options.greetings,
        tasks: options.tasks,
        deflate: options.deflate,
        connections: Vec::new(),
        ready: 0,
        wanted: 0,
        buffer: vec![0; BUFFER_BYTES],
        events: Vec::with_capacity(1_024),
        tally: Tally::default(),
    }
    .run()
}

struct Clients {
    poller: OwnedFd,
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
    greetings: u32,
    tasks: usize,
    deflate: bool,
    connections: Vec<Connection>,
    /// How many have had their greetings, and how many there are to be.
    ready: usize,
    wanted: usize,
    buffer: Vec<u8>,
    events: Vec<Event>,
    tally: Tally,
}

impl Clients {
    fn run(mut self) -> anyhow::Result<()> {
        loop {
            self.events.clear();
            match epoll::wait(&self.poller, spare_capacity(&mut self.events), None) {
                Err(rustix::io::Errno::INTR) => continue,
                outcome => outcome?,
            };
            for event in std::mem::take(&mut self.events) {
                match event.data.u64() {
                    COMMANDS => match read_line()? {
                        Some(line) => self.obey(&line)?,
                        None => return Ok(()),
                    },
                    index => self.read(index as usize)?,
                }
            }
            self.events.reserve(1_024);
        }
    }

    fn obey(&mut self, line: &str) -> anyhow::Result<()> {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            // So many connections more.
            ["connect", count] => {
                self.wanted += count.parse::<usize>()?;
                self.connect()?;
            }
            // So often, so many deliveries are awaited; each time is told.
            ["await", deliveries, times] => {
                let is_gapless = self.tasks == 0 && !self.deflate;
                self.tally = Tally::new(deliveries.parse()?, times.parse()?, is_gapless);
                say("awaiting")?;
            }
            ["report"] => say(&self.tally.report())?,
            _ => bail!("{line:?} is not understood"),
        }
        Ok(())
    }

    /// Opens as many connections as may be under way.
    fn connect(&mut self) -> anyhow::Result<()> {
        while self.connections.len() < self.wanted
            && self.connections.len() < self.ready + HANDSHAKES
        {
            let index = self.connections.len();
            let (tls, deflate) = (self.tls.as_ref(), self.deflate);
            let opened = Connection::open(self.address, tls, index, deflate, self.greetings);
            let connection = opened.with_context(|| format!("connection {index}"))?;
            let data = EventData::new_u64(index as u64);
            epoll::add(&self.poller, &connection, data, EventFlags::IN)?;
            self.connections.push(connection);
        }
        Ok(())
    }

    fn read(&mut self, index: usize) -> anyhow::Result<()> {
        let connection = &mut self.connections[index];
        let was_ready = connection.is_ready();
        let rounds = self.tally.rounds_left();
        let read = connection.read(&mut self.buffer, self.tasks, &mut self.tally);
        read.with_context(|| format!("connection {index}"))?;
        if !was_ready && connection.is_ready() {
            self.ready += 1;
            self.connect()?;
            if self.ready == self.wanted {
                say(&format!("connected {}", self.ready))?;
            }
        }
        for left in (self.tally.rounds_left()..rounds).rev() {
            say(if left == 0 { self.tally.report() } else { "round".to_owned() }.as_str())?;
        }
        Ok(())
    }
}

/// A line of standard input, byte by byte: what comes after it is not to be taken from the poller.
fn read_line() -> anyhow::Result<Option<String>> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while rustix::io::read(io::stdin(), &mut byte)? == 1 {
        if byte[0] == b'\n' {
            return Ok(Some(String::from_utf8(line)?));
        }
        line.push(byte[0]);
    }
    Ok(None)
}

fn say(line: &str) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}

/// What a client asks for that wants the updates of one task only.
fn subscription(index: usize, tasks: usize) -> String {
    let task = message::task_id((index % tasks) as u64);
    format!(r#"{{"type":"subscribe","filter":{{"types":["task_update"],"task_ids":["{task}"]}}}}"#)
}
