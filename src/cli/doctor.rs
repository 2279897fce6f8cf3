//! `gz-monitor doctor`: what keeps collectors from data, and what mends it.

use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::bail;
use http::StatusCode;

use super::address::DaemonAddress;
use super::doctor_report;
use super::exit::Failure;
use super::local_socket::Target;
use super::request::{self, Asking, NoDaemon};
use crate::api::{Doctor, Severity, encode};
use crate::config::{self, Sources};
use crate::doctor::{Facts, Setup};

/// The flags of `doctor`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    daemon: DaemonAddress,
    /// Print one JSON object: what /api/v1/doctor answers
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, file: Option<PathBuf>) -> Result<(), Failure> {
    let target = args.daemon.resolve(file.clone())?;
    let (doctor, place) = match request::block_on(ask(&target)) {
        Ok(doctor) => (doctor, Ok(target.to_string())),
        // A daemon that was named is to be there.
        Err(error) if error.is::<NoDaemon>() && !args.daemon.is_named() => {
            (look_at_ourselves(file)?, Err(target.to_string()))
        }
        Err(error) => return Err(error.into()),
    };
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", encode(&doctor))?;
    } else {
        doctor_report::print(&mut out, &doctor, place.as_deref().map_err(String::as_str))?;
    }
    let is_bad = doctor.findings.iter().any(|finding| finding.severity == Severity::Error);
    if is_bad { Err(Failure::Silent(1)) } else { Ok(()) }
}

async fn ask(target: &Target) -> anyhow::Result<Doctor> {
    let answer = Asking::get(target, "/api/v1/doctor").send().await?;
    if answer.status == StatusCode::NOT_FOUND {
        bail!("the daemon at {target} knows no doctor; is it an older one?");
    }
    answer.accepted()?.json()
}

/// Looks at this process, which has no collectors and listens nowhere.
fn look_at_ourselves(file: Option<PathBuf>) -> Result<Doctor, Failure> {
    let loaded = config::load_without_plugins(&Sources::of_process(file, Vec::new()));
    let folders = loaded.map_err(Failure::Config)?.config.plugins.folders;
    Ok(Doctor::from(&Facts::find(&Setup { folders, ..Setup::default() }, Vec::new())))
}
