//! What bash, zsh and fish offer at the TAB key.

use clap::Command;
use clap_complete::{Shell, generate};

use crate::Page;
use crate::commands::visible;

/// One file for each shell, where Debian and Fedora look for it.
pub fn pages() -> Vec<Page> {
    let of = |shell, path: &str| Page { path: path.to_owned(), text: completion(shell) };
    vec![
        of(Shell::Bash, "bash-completion/completions/gz-monitor"),
        of(Shell::Zsh, "zsh/vendor-completions/_gz-monitor"),
        of(Shell::Fish, "fish/vendor_completions.d/gz-monitor.fish"),
    ]
}

fn completion(shell: Shell) -> String {
    let mut command: Command = visible(gz_monitor::cli::command());
    let mut script = Vec::new();
    generate(shell, &mut command, "gz-monitor", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
