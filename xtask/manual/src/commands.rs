//! A page for `gz-monitor` and one for each of its commands, `gz-monitor-plugin-list(1)` and so on.

use clap::Command;
use clap_mangen::Man;
use roff::{Roff, bold, roman};

use crate::{Page, opening};

/// What `gz-monitor(1)` says beyond its commands: a heading, then terms and what each is.
const ENVIRONMENT: [(&str, &str); 1] = [(
    "GZ_MONITOR__SECTION__KEY",
    "Sets a key of the configuration, as in GZ_MONITOR__SERVER__PORT=9090; wins over files.",
)];

const FILES: [(&str, &str); 4] = [
    (
        "/etc/gz-monitor/gz-monitor.toml",
        "The configuration, gz-monitor.toml(5). It need not be there.",
    ),
    (
        "/etc/gz-monitor/alerts.d/*.toml, alerts.d/*.yml",
        "Rules of alerts; the latter as Prometheus has them. What the configuration says of one wins.",
    ),
    ("/etc/gz-monitor/conf.d/*.toml", "Read after it, in the order of their names; they win."),
    (
        "/usr/lib/gz-monitor/plugins, /usr/local/lib/gz-monitor/plugins",
        "Libraries that collect, gz-monitor-plugin(7): the package's, and your own.",
    ),
];

/// The commands that people are told of, as clap would have them without the others.
pub fn visible(command: Command) -> Command {
    let shown: Vec<Command> = command
        .get_subcommands()
        .filter(|inner| !inner.is_hide_set())
        .map(|inner| visible(inner.clone()))
        .collect();
    // clap cannot drop a command, but a command without any can be given those that stay.
    let mut bare = Command::new(command.get_name().to_owned())
        .args(command.get_arguments().cloned())
        .disable_help_subcommand(true);
    if let Some(version) = command.get_version() {
        bare = bare.version(version.to_owned());
    }
    if let Some(about) = command.get_about() {
        bare = bare.about(about.clone());
    }
    if let Some(about) = command.get_long_about() {
        bare = bare.long_about(about.clone());
    }
    if let Some(help) = command.get_after_help() {
        bare = bare.after_help(help.clone());
    }
    let required = command.is_subcommand_required_set() || command.is_arg_required_else_help_set();
    bare.subcommand_required(required).subcommands(shown)
}

/// The page of the program, then those of its commands.
pub fn pages(date: &str) -> Vec<Page> {
    let mut root = visible(gz_monitor::cli::command());
    root.build();
    let mut pages = Vec::new();
    add(&mut pages, &root, date);
    pages
}

fn add(pages: &mut Vec<Page>, command: &Command, date: &str) {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    pages.push(Page::of_manual(&name, 1, text(command, &name, date)));
    for inner in command.get_subcommands() {
        add(pages, inner, date);
    }
}

fn text(command: &Command, name: &str, date: &str) -> String {
    let is_root = name == "gz-monitor";
    let man = Man::new(command.clone());
    let head = opening(name, "1", date);
    let mut text = head.render();
    let mut push = |render: &dyn Fn(&Man, &mut dyn std::io::Write) -> std::io::Result<()>| {
        let mut part = Vec::new();
        render(&man, &mut part).expect("a Vec takes all that is written");
        text.push_str(&String::from_utf8_lossy(&part));
    };
    push(&|man, out| man.render_name_section(out));
    push(&|man, out| man.render_synopsis_section(out));
    push(&|man, out| man.render_description_section(out));
    push(&|man, out| man.render_options_section(out));
    if command.has_subcommands() {
        push(&|man, out| man.render_subcommands_section(out));
    }
    let mut rest = Roff::new();
    if let Some(help) = command.get_after_help() {
        notes(&mut rest, &help.to_string());
    }
    if is_root {
        terms(&mut rest, "ENVIRONMENT", &ENVIRONMENT);
        terms(&mut rest, "FILES", &FILES);
    }
    see_also(&mut rest, is_root);
    text + &rest.render()
}

/// The text after the help of a command; what it says of exit codes has a heading of its own.
fn notes(roff: &mut Roff, help: &str) {
    let (codes, others): (Vec<&str>, Vec<&str>) =
        help.split("\n\n").partition(|paragraph| paragraph.starts_with("Exit codes: "));
    for (heading, paragraphs) in [("NOTES", others), ("EXIT STATUS", codes)] {
        for (index, paragraph) in paragraphs.iter().enumerate() {
            match index {
                0 => roff.control("SH", [heading]),
                _ => roff.control("PP", []),
            };
            let paragraph = paragraph.strip_prefix("Exit codes: ").unwrap_or(paragraph);
            roff.text([roman(paragraph.split_whitespace().collect::<Vec<_>>().join(" "))]);
        }
    }
}

fn terms(roff: &mut Roff, heading: &str, terms: &[(&str, &str)]) {
    roff.control("SH", [heading]);
    for (term, about) in terms {
        roff.control("TP", []).text([bold(*term)]).text([roman(*about)]);
    }
}

fn see_also(roff: &mut Roff, is_root: bool) {
    let own = if is_root { vec![] } else { vec!["gz-monitor(1)"] };
    let others = ["gz-monitor.toml(5)", "gz-monitor-plugin(7)"];
    let all: Vec<&str> = own.into_iter().chain(others).collect();
    roff.control("SH", ["SEE ALSO"]).text([roman(all.join(", "))]);
}
