//! How many connections there are, and of whom.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::network::place;

/// The connections that are open.
#[derive(Debug)]
pub(crate) struct Crowd {
    free: Arc<Semaphore>,
    of_each: usize,
    by_place: Mutex<HashMap<IpAddr, usize>>,
}

/// The room that one connection takes, until it is dropped.
#[derive(Debug)]
pub(crate) struct Room {
    crowd: Arc<Crowd>,
    counted: Option<IpAddr>,
    _free: OwnedSemaphorePermit,
}

impl Crowd {
    /// Room for so many, and for so many from one place.
    pub(crate) fn of(all: usize, of_each: usize) -> Arc<Self> {
        let free = Arc::new(Semaphore::new(all.min(Semaphore::MAX_PERMITS)));
        Arc::new(Self { free, of_each, by_place: Mutex::default() })
    }

    /// Waits until there is room for one more.
    pub(crate) async fn free(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).acquire_owned().await.ok()
    }

    /// The room for a connection from an address; none when there are too many from there.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr, free: OwnedSemaphorePermit) -> Option<Room> {
        let place = place(address);
        let mut by_place = self.by_place.lock().unwrap_or_else(PoisonError::into_inner);
        let count = by_place.entry(place).or_default();
        if *count >= self.of_each {
            return None;
        }
        *count += 1;
        Some(Room { crowd: Arc::clone(self), counted: Some(place), _free: free })
    }

    /// The room for a connection of somebody who comes for many others: not counted.
    pub(crate) fn enter_uncounted(self: &Arc<Self>, free: OwnedSemaphorePermit) -> Room {
        Room { crowd: Arc::clone(self), counted: None, _free: free }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let Some(place) = self.counted else { return };
        let mut by_place = self.crowd.by_place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_place.get_mut(&place) {
            *count -= 1;
            if *count == 0 {
                by_place.remove(&place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn nobody_has_all_the_room() {
        let crowd = Crowd::of(10, 2);
        let mut rooms = Vec::new();
        for _ in 0..2 {
            rooms.push(crowd.enter(ip("192.0.2.1"), crowd.free().await.unwrap()).unwrap());
        }
        assert!(crowd.enter(ip("192.0.2.1"), crowd.free().await.unwrap()).is_none());
        let other = crowd.enter(ip("192.0.2.2"), crowd.free().await.unwrap());
        assert!(other.is_some(), "others have theirs");
        rooms.pop();
        assert!(crowd.enter(ip("192.0.2.1"), crowd.free().await.unwrap()).is_some(), "what is left is free again");
        drop((rooms, other));
        assert!(crowd.by_place.lock().unwrap().is_empty(), "nothing is kept of those who went");
        assert_eq!(crowd.free.available_permits(), 10);
    }

    #[tokio::test]
    async fn a_subscriber_of_version_6_is_counted_once_whatever_the_address() {
        let crowd = Crowd::of(10, 1);
        let _room = crowd.enter(ip("2001:db8::1"), crowd.free().await.unwrap()).unwrap();
        assert!(crowd.enter(ip("2001:db8::ffff:2"), crowd.free().await.unwrap()).is_none());
        assert!(crowd.enter(ip("2001:db8:0:1::1"), crowd.free().await.unwrap()).is_some());
    }
}
