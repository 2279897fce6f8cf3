//! The `gz-monitor` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    gz_monitor::cli::main(std::env::args_os())
}
