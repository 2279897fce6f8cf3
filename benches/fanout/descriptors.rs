//! How many files this process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit as far as allowed, and returns it.
pub fn raise(wanted: u64) -> u64 {
    let present = getrlimit(Resource::Nofile);
    let is_enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= wanted);
    if !is_enough(present.maximum) {
        // Only the privileged may, and the others have tried.
        let _ =
            setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: Some(wanted) });
    }
    let present = getrlimit(Resource::Nofile);
    if !is_enough(present.current) {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: present.maximum, ..present });
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
