//! Where this machine gets its Debian packages from.

use std::process::Command;

/// The mirror of a machine that has none of Debian in its sources.
const USUAL_MIRROR: &str = "http://deb.debian.org/debian/";

/// The mirror of Debian's main archive in apt's own sources, in whichever format they are.
pub fn mirror() -> String {
    let format = "$(ORIGIN)\t$(COMPONENT)\t$(RELEASE)\t$(REPO_URI)";
    let output = Command::new("apt-get")
        .args(["indextargets", "--format", format, "Created-By: Packages"])
        .output();
    let listed = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    listed.ok().and_then(|text| main_archive(&text)).unwrap_or_else(|| USUAL_MIRROR.to_owned())
}

fn main_archive(listed: &str) -> Option<String> {
    listed.lines().find_map(|line| {
        let mut fields = line.split('\t');
        let (origin, component) = (fields.next()?, fields.next()?);
        let (release, uri) = (fields.next()?, fields.next()?);
        // Updates and security updates are "bookworm-updates" and "bookworm-security".
        (origin == "Debian" && component == "main" && !release.contains('-'))
            .then(|| uri.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_main_archive_of_debian_is_found() {
        let check = |listed, expected: Option<&str>| {
            assert_eq!(main_archive(listed).as_deref(), expected, "{listed}");
        };
        check("", None);
        check("Ubuntu\tmain\tnoble\thttp://u/\n", None);
        check(
            "Debian\tmain\tbookworm-security\thttp://s/\nDebian\tcontrib\tbookworm\thttp://c/\n\
             Debian\tmain\tbookworm\thttp://m/debian/\n",
            Some("http://m/debian/"),
        );
    }
}
