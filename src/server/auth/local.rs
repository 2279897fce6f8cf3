//! Who has connected by the Unix socket, as the kernel tells (unix(7), SO_PEERCRED).

use std::ffi::CString;
use std::time::Duration;

use nix::unistd::{Gid, Group, Uid, User, getgrouplist};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::role::Role;

/// A user who is not found by then is nobody.
const LOOK_MAX: Duration = Duration::from_secs(5);

/// A user of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) struct LocalUser {
    pub(in crate::server) uid: u32,
    /// What they may do without a token, if anything.
    pub(in crate::server) role: Option<Role>,
}

/// Looks who has connected; members of `group` are operators. It may take a moment: users may be
/// kept on another machine.
pub(in crate::server) async fn look(stream: &UnixStream, group: String) -> Option<LocalUser> {
    let credentials = stream.peer_cred().ok()?;
    let (uid, gid) = (credentials.uid(), credentials.gid());
    let own = Uid::effective().as_raw();
    if let Some(role) = role(uid, own, || false) {
        return Some(LocalUser { uid, role: Some(role) });
    }
    let look = tokio::task::spawn_blocking(move || is_member(uid, gid, &group));
    let is_member = matches!(timeout(LOOK_MAX, look).await, Ok(Ok(true)));
    Some(LocalUser { uid, role: role(uid, own, || is_member) })
}

fn role(uid: u32, own: u32, is_member: impl FnOnce() -> bool) -> Option<Role> {
    if uid == 0 || uid == own {
        return Some(Role::Admin);
    }
    is_member().then_some(Role::Operator)
}

fn is_member(uid: u32, gid: u32, group: &str) -> bool {
    let Ok(Some(group)) = Group::from_name(group) else { return false };
    if group.gid.as_raw() == gid {
        return true;
    }
    let Ok(Some(user)) = User::from_uid(Uid::from_raw(uid)) else { return false };
    let Ok(name) = CString::new(user.name) else { return false };
    let groups = getgrouplist(&name, Gid::from_raw(gid)).unwrap_or_default();
    groups.contains(&group.gid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_and_the_owner_are_admins_and_members_are_operators() {
        let check = |uid: u32, own: u32, is_member: bool, expected: Option<Role>| {
            assert_eq!(role(uid, own, || is_member), expected, "{uid} {own} {is_member}");
        };
        check(0, 990, false, Some(Role::Admin));
        check(990, 990, false, Some(Role::Admin));
        check(1000, 990, true, Some(Role::Operator));
        check(1000, 990, false, None);
        assert!(!is_member(u32::MAX - 7, 0, "no group has this name"));
        assert!(is_member(u32::MAX - 7, 0, "root"), "by the group of the process");
    }
}
