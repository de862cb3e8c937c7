//! Lines that wait for one another: none of them can be written before the others, so they are written
//! together, wherever in the files they stand.
//!
//! What is kept of a line that waits is where it stands, and a number made of the name of each resource that
//! it speaks of. Two names of one number (one chance in 2⁶⁴ for two of them) would make a circle where there is
//! none: it would be tried, and refused as it was before.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher as _,
};

use liaison_app::{name::Name, refers::refers_to};
use liaison_fhir::json::{self, Limits};

use super::lines::{Line, Spot};
use crate::command::bulk;

/// Lines among which circles are looked for: of the others it is not known. About 60 bytes each.
const MOST: usize = 1_000_000;

/// Lines that wait, with what they wait for.
#[derive(Default)]
pub struct Web {
    lines: Vec<Waiting>,
    /// What they refer to, line by line.
    wants: Vec<u64>,
    numbers: RandomState,
}

struct Waiting {
    at: Strand,
    /// What it brings.
    brings: u64,
    /// Where what it refers to begins in `wants`.
    wants: usize,
}

/// Where to read a line again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strand {
    /// Which line.
    pub spot: Spot,
    /// Its first byte in the file.
    pub from: u64,
    /// How long it is.
    pub bytes: usize,
}

impl Web {
    /// Adds a line that waits. One that brings nothing is in no circle.
    pub fn add(&mut self, line: &Line) {
        let Ok(mut read) = json::read(&line.bytes, &Limits::default()) else { return };
        let (Some(kind), Some(id)) = (read.resource_type(), read.str("id")) else { return };
        let name = Name { resource_type: kind.into(), id: id.into() };
        if self.lines.len() < MOST {
            let at = Strand { spot: line.spot, from: line.from, bytes: line.bytes.len() };
            let waiting = Waiting { at, brings: self.numbers.hash_one(&name), wants: self.wants.len() };
            self.lines.push(waiting);
            let wants = refers_to(&mut read, &bulk::face());
            self.wants.extend(wants.iter().filter(|wanted| **wanted != name).map(|name| self.numbers.hash_one(name)));
        }
    }

    /// The circles, each whole, in an order in which those come first that others refer to. Two circles
    /// that share a line are one.
    pub fn circles(&self) -> Vec<Vec<Strand>> {
        let by_name: HashMap<u64, usize> = self.lines.iter().enumerate().map(|(at, line)| (line.brings, at)).collect();
        let next = |of: usize, nth: usize| -> Option<Option<usize>> {
            let begin = self.lines.get(of)?.wants;
            let end = self.lines.get(of + 1).map_or(self.wants.len(), |line| line.wants);
            let wanted = self.wants.get(begin..end)?.get(nth)?;
            Some(by_name.get(wanted).copied())
        };
        let strand = |at: usize| self.lines.get(at).map(|line| line.at);
        let together = strongly_connected(self.lines.len(), next).into_iter().filter(|circle| circle.len() > 1);
        together.map(|circle| circle.into_iter().filter_map(strand).collect()).collect()
    }
}

/// The strongly connected components of a graph (Tarjan's), those first that others lead to; without
/// recursion, since a way may be as long as the files. `next` gives the nth edge of a node: `None` after the last,
/// `Some(None)` for one that leads nowhere.
fn strongly_connected(nodes: usize, next: impl Fn(usize, usize) -> Option<Option<usize>>) -> Vec<Vec<usize>> {
    #[derive(Clone, Copy)]
    struct Seen {
        number: usize,
        lowest: usize,
        open: bool,
    }
    let mut seen: Vec<Option<Seen>> = vec![None; nodes];
    let (mut open, mut found, mut numbered) = (Vec::new(), Vec::new(), 0);
    for root in 0..nodes {
        if seen.get(root).is_none_or(Option::is_some) {
            continue;
        }
        // The way to where we are: each node with the edge that is looked at next.
        let mut way: Vec<(usize, usize)> = vec![(root, 0)];
        while let Some((node, edge)) = way.last_mut() {
            let node = *node;
            if *edge == 0
                && let Some(place @ None) = seen.get_mut(node)
            {
                *place = Some(Seen { number: numbered, lowest: numbered, open: true });
                numbered += 1;
                open.push(node);
            }
            let nth = *edge;
            *edge += 1;
            let met = match next(node, nth) {
                Some(None) => continue,
                Some(Some(other)) => match seen.get(other).copied().flatten() {
                    None => {
                        way.push((other, 0));
                        continue;
                    }
                    Some(other) if other.open => Some(other.number),
                    Some(_) => continue,
                },
                None => None,
            };
            if let Some(number) = met {
                if let Some(Some(here)) = seen.get_mut(node) {
                    here.lowest = here.lowest.min(number);
                }
                continue;
            }
            way.pop();
            let Some(Some(here)) = seen.get(node).copied() else { continue };
            if let Some((before, _)) = way.last()
                && let Some(Some(before)) = seen.get_mut(*before)
            {
                before.lowest = before.lowest.min(here.lowest);
            }
            if here.lowest == here.number {
                let mut component = Vec::new();
                while let Some(member) = open.pop() {
                    if let Some(Some(member)) = seen.get_mut(member) {
                        member.open = false;
                    }
                    component.push(member);
                    if member == node {
                        break;
                    }
                }
                found.push(component);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: u64, text: &str) -> Line {
        Line { spot: Spot { file: 0, line: number }, from: number * 1_000, bytes: text.into() }
    }

    fn group(id: &str, members: &[&str]) -> String {
        let members: Vec<String> =
            members.iter().map(|member| format!("{{\"entity\":{{\"reference\":\"Group/{member}\"}}}}")).collect();
        format!("{{\"resourceType\":\"Group\",\"id\":\"{id}\",\"member\":[{}]}}", members.join(","))
    }

    /// The circles of groups of groups, as the numbers of their lines.
    fn circles(groups: &[(&str, &[&str])]) -> Vec<Vec<u64>> {
        let mut web = Web::default();
        for (at, (id, members)) in groups.iter().enumerate() {
            web.add(&line(at as u64, &group(id, members)));
        }
        let sorted = |circle: Vec<Strand>| {
            let mut lines: Vec<u64> = circle.iter().map(|strand| strand.spot.line).collect();
            lines.sort_unstable();
            lines
        };
        web.circles().into_iter().map(sorted).collect()
    }

    #[test]
    fn what_waits_for_one_another_is_a_circle_and_nothing_else_is() {
        assert_eq!(circles(&[("a", &["b"]), ("b", &["a"])]), [[0, 1]]);
        assert_eq!(circles(&[("a", &["b"]), ("b", &["c"]), ("c", &["nobody"])]), [[0; 0]; 0]);
        assert_eq!(circles(&[("a", &["a"])]), [[0; 0]; 0], "it is written by itself");
        let eight = [("x", &["a"][..]), ("a", &["b", "n"]), ("b", &["c"]), ("c", &["a", "d"]), ("d", &["b"])];
        assert_eq!(circles(&eight), [[1, 2, 3, 4]], "two circles that share a line");
    }

    #[test]
    fn those_come_first_that_others_refer_to() {
        let two = [("a", &["b"][..]), ("b", &["a", "c"]), ("c", &["d"]), ("d", &["c"])];
        assert_eq!(circles(&two), [[2, 3], [0, 1]]);
    }

    #[test]
    fn a_circle_may_be_as_long_as_the_files() {
        let mut web = Web::default();
        for at in 0..50_000_u64 {
            web.add(&line(at, &group(&format!("g{at}"), &[&format!("g{}", (at + 1) % 50_000)])));
        }
        let circles = web.circles();
        assert_eq!(circles.len(), 1);
        assert_eq!(circles[0].len(), 50_000);
        let strand = circles[0].iter().find(|strand| strand.spot.line == 7).unwrap();
        assert_eq!((strand.from, strand.bytes), (7_000, group("g7", &["g8"]).len()));
    }
}
