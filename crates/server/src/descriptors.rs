//! How many files and connections the machine lets the program open: those of callers must leave room for those of
//! the store.

use liaison_inbound::listener::Manner;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Kept for the store, logs and connections to the outside.
const KEPT: u64 = 256;

/// How connections are taken where the machine allows so many, and what is said of it when it allows fewer. The
/// limit is raised as far as this user may.
pub fn within(manner: Manner) -> Manner {
    let wanted = (manner.connections as u64).saturating_add(KEPT);
    let before = getrlimit(Resource::Nofile);
    let allowed = raised(before, wanted);
    if allowed.current != before.current
        && let Err(error) = setrlimit(Resource::Nofile, allowed)
    {
        tracing::debug!(%error, "no more files may be opened than before");
        return bounded(manner, before.current);
    }
    bounded(manner, allowed.current)
}

/// As much as is wanted and may be had; none: no limit.
fn raised(now: Rlimit, wanted: u64) -> Rlimit {
    let enough = now.current.is_none_or(|current| current >= wanted);
    let most = now.maximum.map_or(wanted, |most| wanted.min(most));
    if enough { now } else { Rlimit { current: Some(most), maximum: now.maximum } }
}

fn bounded(manner: Manner, allowed: Option<u64>) -> Manner {
    // Half of what there is, where there is little.
    let room = allowed.map(|allowed| allowed.saturating_sub(KEPT).max(allowed / 2));
    let room = room.and_then(|room| usize::try_from(room).ok()).unwrap_or(usize::MAX).max(1);
    if room < manner.connections {
        tracing::warn!(
            "the machine lets this user open {} files: {room} connections are taken at a time, not {} (LimitNOFILE, ulimit -n)",
            allowed.unwrap_or_default(),
            manner.connections
        );
    }
    Manner { connections: manner.connections.min(room), of_each: manner.of_each.min(room), ..manner }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(current: u64, maximum: u64) -> Rlimit {
        Rlimit { current: Some(current), maximum: Some(maximum) }
    }

    #[test]
    fn the_limit_is_raised_as_far_as_is_wanted_and_allowed() {
        assert_eq!(raised(limits(1024, 4096), 2000).current, Some(2000));
        assert_eq!(raised(limits(1024, 1500), 2000).current, Some(1500));
        assert_eq!(raised(limits(4096, 4096), 2000).current, Some(4096));
        let endless = Rlimit { current: Some(1024), maximum: None };
        assert_eq!(raised(endless, 2000).current, Some(2000));
    }

    #[test]
    fn callers_leave_room_for_the_store() {
        let manner = |allowed| bounded(Manner { connections: 4096, ..Manner::default() }, allowed).connections;
        assert_eq!(manner(Some(10_000)), 4096);
        assert_eq!(manner(Some(1024)), 768);
        assert_eq!(manner(Some(300)), 150);
        assert_eq!(manner(None), 4096);
    }
}
