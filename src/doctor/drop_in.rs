//! Drop-ins of the unit: those that are shipped as examples, and short ones made for the case.

/// What `systemctl edit gz-monitor` takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropIn {
    /// The file among the examples, if it is one.
    pub example: Option<&'static str>,
    /// All of it; comments tell what it costs.
    pub text: String,
}

macro_rules! examples {
    ($($function:ident = $file:literal;)*) => { $(
        pub(super) fn $function() -> DropIn {
            let text = include_str!(concat!("../../packaging/systemd/examples/", $file));
            DropIn { example: Some($file), text: text.to_owned() }
        }
    )* };
}

examples! {
    gpu = "gpu.conf";
    smart = "smart.conf";
    ping = "ping.conf";
    remote = "remote.conf";
}

/// The example, for this credential.
pub(super) fn credential(name: &str) -> DropIn {
    let text = include_str!("../../packaging/systemd/examples/credentials.conf");
    DropIn { example: Some("credentials.conf"), text: text.replace("db-password", name) }
}

/// These lines of `[Service]`.
pub(super) fn service(lines: &[&str]) -> DropIn {
    DropIn { example: None, text: format!("[Service]\n{}\n", lines.join("\n")) }
}

/// One that gives the daemon these capabilities.
pub(super) fn capabilities(names: &[String]) -> DropIn {
    let has = |wanted: &[&str]| wanted.iter().any(|one| names.iter().any(|name| name == one));
    match names {
        [one] if one == "CAP_NET_RAW" => ping(),
        _ if names.len() <= 2 && has(&["CAP_SYS_RAWIO"]) => smart(),
        _ => {
            let names = names.join(" ");
            let (bounding, ambient) = ("CapabilityBoundingSet", "AmbientCapabilities");
            service(&[&format!("{bounding}={names}"), &format!("{ambient}={names}")])
        }
    }
}

/// One that shows the daemon this node of /dev.
pub(super) fn device(path: &str) -> DropIn {
    let name = path.trim_start_matches("/dev/");
    let is = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    match () {
        () if is(&["nvidia"]) => gpu(),
        () if is(&["sd", "sg", "nvme"]) => smart(),
        () => {
            service(&["PrivateDevices=no", "DevicePolicy=closed", &format!("DeviceAllow={path} r")])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_that_suits() {
        let example = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            capabilities(&names).example
        };
        assert_eq!(example(&["CAP_NET_RAW"]), Some("ping.conf"));
        assert_eq!(example(&["CAP_SYS_ADMIN", "CAP_SYS_RAWIO"]), Some("smart.conf"));
        assert_eq!(example(&["CAP_NET_RAW", "CAP_NET_ADMIN"]), None);
        assert_eq!(device("/dev/nvidia0").example, Some("gpu.conf"));
        assert_eq!(device("/dev/nvme0").example, Some("smart.conf"));
        assert_eq!(
            device("/dev/ipmi0").text,
            "[Service]\nPrivateDevices=no\nDevicePolicy=closed\nDeviceAllow=/dev/ipmi0 r\n"
        );
        assert_eq!(
            capabilities(&["CAP_SYSLOG".to_owned()]).text,
            "[Service]\nCapabilityBoundingSet=CAP_SYSLOG\nAmbientCapabilities=CAP_SYSLOG\n"
        );
    }
}
