//! The capabilities of the children that run libraries.

use std::fs;

use crate::folder::{Folder, set_mode};
use crate::support::{as_service, is_root};
use crate::{children, until_collected, with_plugins};

#[tokio::test]
async fn a_library_keeps_the_capabilities_that_its_entry_names() {
    if !is_root("a_library_keeps_the_capabilities_that_its_entry_names") {
        return;
    }
    let check = async |keys: &str, expected: &str| {
        let folder = Folder::new();
        set_mode(&folder.beside(""), 0o755);
        folder.acts("acts.so", &[]);
        let config = format!("[[collector]]\nplugin = \"acts\"\n{keys}\n");
        let builder = with_plugins(&folder, &config);
        let daemon = as_service(builder, "+dac_read_search,+net_raw").start().await;
        until_collected(&daemon, "acts").await;
        let all = children(&daemon);
        let child = all.iter().find(|(_, line)| line.ends_with(" acts"));
        let child = child.unwrap_or_else(|| panic!("{all:?}")).0;
        let status = fs::read_to_string(format!("/proc/{child}/status")).expect("a status");
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            assert!(status.contains(&format!("{set}:\t{expected}\n")), "{keys}: {status}");
        }
    };
    check("", "0000000000000000").await;
    check("capabilities = [\"CAP_NET_RAW\"]", "0000000000002000").await;
}
