//! What the planner says of instants.

use super::*;

/// Whether a moment `[start, end)` passes a test: the definitions of FHIR's prefixes.
fn passes(start: i64, end: i64, DateTest { comparison, low, high }: DateTest) -> bool {
    let within = start >= low && end <= high;
    match comparison {
        Comparison::Within => within,
        Comparison::NotWithin => !within,
        Comparison::Greater => end > high,
        Comparison::Less => start < low,
        Comparison::GreaterOrWithin => end > high || within,
        Comparison::LessOrWithin => start < low || within,
        Comparison::After => start >= high,
        Comparison::Before => end <= low,
        Comparison::Overlaps => start < high && end > low,
    }
}

#[test]
fn a_window_leaves_no_match_out_and_lets_only_matches_in_when_it_says_all() {
    use Comparison::*;
    let mut said_all = 0;
    for comparison in [Within, NotWithin, Greater, Less, GreaterOrWithin, LessOrWithin, After, Before, Overlaps] {
        for (low, length, longest) in
            (0..4).flat_map(|low| (1..4).flat_map(move |by| (1..5).map(move |l| (low, by, l))))
        {
            let test = DateTest { comparison, low, high: low + length };
            let mut window = Window::OPEN;
            let says = window.cut(&test, longest);
            said_all += usize::from(says == Says::All);
            for (start, span) in (-6..12).flat_map(|start| (1..=longest).map(move |span| (start, span))) {
                let inside = (window.low..=window.high).contains(&start);
                let matches = passes(start, start + span, test);
                let seen = format!("{test:?}, none longer than {longest}: {start} for {span}");
                assert!(inside || !matches, "left out: {seen}");
                assert!(says == Says::Part || inside == matches, "let in: {seen}");
            }
            assert!(!(window.low..=window.high).contains(&MISSING), "no moment passes no test: {test:?}");
        }
    }
    assert!(said_all > 0, "a test that is looked at again for each row costs time");
}

#[test]
fn windows_cut_one_another() {
    let mut window = Window::OPEN;
    for (comparison, low) in [(Comparison::After, 10), (Comparison::Before, 20), (Comparison::After, 5)] {
        window.cut(&DateTest { comparison, low, high: low + 1 }, 1);
    }
    assert_eq!(window, Window { low: 11, high: 20 });
}
