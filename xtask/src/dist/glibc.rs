//! The packages run where glibc is as old as [`NEWEST`]: Enterprise Linux 9 and Debian 12. Whoever
//! builds on a newer system may ask for newer symbols without noticing.

use std::path::Path;

use anyhow::bail;

use super::build::Built;
use super::program::{output, program, say};

/// What Enterprise Linux 9 has.
const NEWEST: Version = Version { major: 2, minor: 34, patch: 0 };

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    major: u32,
    minor: u32,
    patch: u32,
}

impl Version {
    /// Of "2.34" or "2.2.5".
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|part| part.parse().ok());
        let (major, minor) = (parts.next()??, parts.next()??);
        let patch = parts.next().unwrap_or(Some(0))?;
        Some(Self { major, minor, patch })
    }
}

/// An error if anything that was built needs a newer glibc; says what it needs.
pub fn check(built: &Built) -> anyhow::Result<()> {
    for path in built.files() {
        let table = output(program("objdump", Path::new("/"), [Path::new("-T"), path]))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let newer = newer(&table);
        if !newer.is_empty() {
            bail!(
                "{name} needs symbols that glibc {}.{} does not have: {}",
                NEWEST.major,
                NEWEST.minor,
                newer.join(", ")
            );
        }
        if let Some(needed) = symbols(&table).map(|(version, _)| version).max() {
            say(&format!("{name} runs with glibc {}.{}", needed.major, needed.minor))?;
        }
    }
    Ok(())
}

/// The symbols of a table by `objdump -T` that come of glibc, with their versions.
fn symbols(table: &str) -> impl Iterator<Item = (Version, &str)> {
    table.lines().filter_map(|line| {
        let (_, rest) = line.split_once("*UND*")?.1.split_once("GLIBC_")?;
        let (version, name) = rest.split_once([')', ' '])?;
        Some((Version::parse(version)?, name.trim()))
    })
}

fn newer(table: &str) -> Vec<String> {
    let all = symbols(table).filter(|(version, _)| *version > NEWEST);
    all.map(|(version, name)| format!("{name} ({}.{})", version.major, version.minor)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_of_a_newer_glibc_are_named() {
        let table = "\
DYNAMIC SYMBOL TABLE:
0000000000000000      DF *UND*\t0000000000000000 (GLIBC_2.34) pthread_create
0000000000000000      DF *UND*\t0000000000000000 (GLIBC_2.2.5) read
0000000000000000      DF *UND*\t0000000000000000 (GCC_3.3)  _Unwind_GetIP
0000000000000000  w   DF *UND*\t0000000000000000  GLIBC_2.36  arc4random
0000000000000000  w   D  *UND*\t0000000000000000  Base        _ITM_registerTMCloneTable
0000000000001000 g    DF .text\t0000000000000010  GLIBC_2.99  its_own
";
        assert_eq!(newer(table), ["arc4random (2.36)"]);
        let needed = symbols(table).map(|(version, _)| version).min();
        assert_eq!(needed, Some(Version { major: 2, minor: 2, patch: 5 }));
        assert!(newer(table.lines().take(4).collect::<Vec<_>>().join("\n").as_str()).is_empty());
    }
}
