//! A plugin that does what its configuration says, good and bad: `tests/exported.rs` drives it.

// The macro's one attribute that is unsafe is the SDK's affair.
#![forbid(unsafe_code)]

use std::sync::Mutex;

use gz_monitor_sdk::{Collector, Error, Host, Level, Reload, Result, Sink, export_plugin};

export_plugin! {
    Scenario {
        id: "scenario",
        summary: "Does what it is told.",
        interval: "1m30s500ms",
        config_schema: r#"{"type": "object"}"#,
    },
    Witness { id: "witness", summary: "Says what it sees of the host.", version: "7.1" },
}

/// What may happen in a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Act {
    #[default]
    Work,
    NoData,
    Config,
    Unavailable,
    Internal,
    LongText,
    Panic,
    /// Panics with something that panics when it is dropped.
    PanicTwice,
}

#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    init: Act,
    collect: Act,
    reload: Act,
    drop: Act,
    /// Samples of a collection, emitted before `collect` acts.
    samples: usize,
    /// Bytes of a label's value that goes before them, if any.
    long_label_bytes: usize,
    /// Whether `reload` takes the configuration itself.
    reloads: bool,
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped a bomb");
    }
}

impl Act {
    fn run(self) -> Result {
        match self {
            Act::Work => Ok(()),
            Act::NoData => Err(Error::NoData("nothing here".to_owned())),
            Act::Config => Err(Error::Config("cannot be".to_owned())),
            Act::Unavailable => Err(Error::Unavailable("not now".to_owned())),
            Act::Internal => Err("what is this")?,
            Act::LongText => Err(Error::Internal(format!("{}é", "x".repeat(247)))),
            Act::Panic => panic!("on purpose"),
            Act::PanicTwice => std::panic::panic_any(Bomb),
        }
    }
}

struct Scenario {
    config: Config,
    host: Host,
}

impl Collector for Scenario {
    type Config = Config;

    fn init(config: Config, host: Host) -> Result<Self> {
        config.init.run()?;
        Ok(Self { config, host })
    }

    fn collect(&mut self, out: &mut Sink<'_>) -> Result {
        if self.config.long_label_bytes > 0 {
            let value = "v".repeat(self.config.long_label_bytes);
            out.gauge("long", -1.0, &[("value", &value)]);
        }
        for index in 0..self.config.samples {
            let text = index.to_string();
            let value = index as f64;
            match index % 2 {
                0 => out.counter("even_total", value, &[("index", &text), ("é", "")]),
                _ => out.gauge("odd", value, &[]),
            }
        }
        self.config.collect.run()
    }

    fn reload(&mut self, config: Config) -> Result<Reload> {
        config.reload.run()?;
        if !config.reloads {
            return Ok(Reload::Restart);
        }
        self.config = config;
        Ok(Reload::Done)
    }
}

impl Drop for Scenario {
    fn drop(&mut self) {
        self.host.log(Level::Info, "dropped");
        if self.config.drop == Act::Panic {
            panic!("while dropping");
        }
    }
}

/// A host that is kept past its end, as a careless plugin would.
static KEPT: Mutex<Option<Host>> = Mutex::new(None);

#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Orders {
    /// Whether to keep the host in a static variable.
    keep: bool,
    /// Whether to speak to the kept host and not to the own one.
    use_kept: bool,
}

struct Witness {
    orders: Orders,
    host: Host,
}

impl Collector for Witness {
    type Config = Orders;

    fn init(orders: Orders, host: Host) -> Result<Self> {
        for level in [Level::Error, Level::Warn, Level::Info, Level::Debug] {
            host.log(level, &format!("{level:?} of {}", host.path("proc/stat").display()));
        }
        host.request_collect();
        if orders.keep {
            *KEPT.lock().map_err(|error| error.to_string())? = Some(host.clone());
        }
        Ok(Self { orders, host })
    }

    fn collect(&mut self, out: &mut Sink<'_>) -> Result {
        if !self.orders.use_kept {
            out.gauge("cancelled", self.host.cancelled().into(), &[]);
            return Ok(());
        }
        let kept = KEPT.lock().map_err(|error| error.to_string())?;
        let kept = kept.as_ref().ok_or("no host was kept")?;
        kept.log(Level::Info, "by the kept host");
        kept.request_collect();
        out.gauge("kept_cancelled", kept.cancelled().into(), &[]);
        Ok(())
    }
}
