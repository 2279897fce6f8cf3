//! /proc/self/status (proc(5)), as text.

use super::Process;
use crate::plugin::Capabilities;

/// Reads what it says of users, capabilities and seccomp(2); what is missing stays at its default.
pub(super) fn read(status: &str) -> Process {
    let mut process = Process::default();
    for line in status.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let number = || value.trim().parse().unwrap_or_default();
        let second = || value.split_whitespace().nth(1).and_then(|id| id.parse().ok());
        let set = || {
            let bits = u64::from_str_radix(value.trim(), 16);
            Capabilities::from_bits(bits.unwrap_or_default())
        };
        match key {
            "Pid" => process.pid = number(),
            // The effective one is the second of four.
            "Uid" => process.user = second().unwrap_or_default(),
            "Gid" => process.groups.extend(second()),
            "Groups" => {
                process
                    .groups
                    .extend(value.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
            }
            "CapEff" => process.effective = set(),
            "CapPrm" => process.permitted = set(),
            "NoNewPrivs" => process.no_new_privs = number() == 1,
            "Seccomp" => process.is_filtered = number() != 0,
            _ => {}
        }
    }
    process
}

/// The name of a number in /etc/passwd or /etc/group, whose third field it is.
pub(super) fn name_of(table: &str, id: u32) -> Option<String> {
    let id = id.to_string();
    let mut lines = table.lines().map(|line| line.split(':'));
    lines.find_map(|mut fields| {
        let name = fields.next()?;
        (fields.nth(1)? == id).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service() {
        let status = "Name:\tgz-monitor\nPid:\t42\nUid:\t1\t998\t998\t998\nGid:\t997\t996\t1\t1\n\
            Groups:\t6 996 \nCapPrm:\t0000000000080004\nCapEff:\t0000000000000004\n\
            NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t9\n";
        let process = read(status);
        assert_eq!((process.pid, process.user, &process.groups[..]), (42, 998, &[996, 6, 996][..]));
        assert_eq!(process.effective.to_string(), "CAP_DAC_READ_SEARCH");
        assert_eq!(process.permitted.to_string(), "CAP_DAC_READ_SEARCH CAP_SYS_PTRACE");
        assert!(process.no_new_privs && process.is_filtered);
        assert_eq!(read("nonsense\nUid:\nCapEff:\tx\n"), Process::default());
    }

    #[test]
    fn names() {
        let table = "root:x:0:\ndisk:x:6:a,b\nbroken\n";
        assert_eq!(name_of(table, 6).as_deref(), Some("disk"));
        assert_eq!(name_of(table, 7), None);
    }
}
