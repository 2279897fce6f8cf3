//! Patterns for device names in configurations: `loop#`, `sd?#`, `veth*`.

use serde::Deserialize;

/// A pattern for the whole name of a device: `*` stands for any text, `?` for any one character and
/// `#` for a number; everything else for itself.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct DevicePattern(String);

impl DevicePattern {
    pub fn new(pattern: &str) -> Self {
        Self(pattern.to_owned())
    }

    pub fn matches(&self, name: &str) -> bool {
        matches(self.0.as_bytes(), name.as_bytes())
    }
}

/// Bytes will do: a kernel's device names are short and nearly always ASCII.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let Some((first, rest)) = pattern.split_first() else { return name.is_empty() };
    match first {
        b'*' => (0..=name.len()).any(|skip| matches(rest, &name[skip..])),
        b'?' => !name.is_empty() && matches(rest, &name[1..]),
        b'#' => {
            let digits = name.iter().take_while(|byte| byte.is_ascii_digit()).count();
            digits > 0 && matches(rest, &name[digits..])
        }
        byte => name.first() == Some(byte) && matches(rest, &name[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names() {
        let check = |pattern: &str, yes: &[&str], no: &[&str]| {
            let pattern = DevicePattern::new(pattern);
            for (names, expected) in [(yes, true), (no, false)] {
                for name in names {
                    assert_eq!(pattern.matches(name), expected, "{pattern:?} {name}");
                }
            }
        };
        check("loop#", &["loop0", "loop12"], &["loop", "loop0p1", "xloop0"]);
        check("sd?#", &["sda1", "sdz15"], &["sda", "sdaa1", "sd1"]);
        check("nvme#n#p#", &["nvme0n1p1", "nvme10n2p33"], &["nvme0n1", "nvme0n1p"]);
        check("veth*", &["veth", "veth12ab"], &["eth0"]);
        check("*", &["", "eth0"], &[]);
        check("", &[""], &["eth0"]);
        check("a*b*c", &["abc", "axxbyyc", "abbc"], &["ab", "abcd"]);
    }

    proptest! {
        #[test]
        fn a_name_without_wildcards_matches_only_itself(a in "[a-c]{0,3}", b in "[a-c]{0,3}") {
            prop_assert_eq!(DevicePattern::new(&a).matches(&b), a == b);
        }
    }
}
