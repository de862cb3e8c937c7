//! What a date covers, in microseconds since 1970 UTC.

use jiff::{civil, tz::TimeZone};

use super::date::{Clock, Moment, Second, read};

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 86_400 * SECOND;

pub(super) fn date_range(value: &str, zone: &TimeZone) -> Option<(i64, i64)> {
    let moment = read(value).ok()?;
    let year = moment.year;
    Some(match moment {
        Moment { month: None, .. } => (first_instant(year, 1, 1, zone), first_instant(year + 1, 1, 1, zone)),
        Moment { month: Some((month, None)), .. } => {
            let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            (first_instant(year, month, 1, zone), first_instant(next.0, next.1, 1, zone))
        }
        Moment { month: Some((month, Some(day))), clock: None, .. } => {
            let (y, m, d) = civil_from_days(days_from_civil(year, month, day) + 1);
            (first_instant(year, month, day, zone), first_instant(y, m, d, zone))
        }
        Moment { month: Some((month, Some(day))), clock: Some(clock), offset, .. } => {
            let minute = match offset {
                Some(offset) => naive(year, month, day, clock) - i64::from(offset) * SECOND,
                None => in_zone(year, month, day, clock, zone),
            };
            match clock.second {
                None => (minute, minute + MINUTE),
                Some(second) => {
                    let low = minute + since_minute(second);
                    (low, low + precision(second))
                }
            }
        }
    })
}

pub(super) fn parse_instant(value: &str) -> Option<i64> {
    match read(value).ok()? {
        Moment {
            year,
            month: Some((month, Some(day))),
            clock: Some(clock @ Clock { second: Some(second), .. }),
            offset: Some(offset),
        } => Some(naive(year, month, day, clock) + since_minute(second) - i64::from(offset) * SECOND),
        _ => None,
    }
}

pub(super) fn format_instant(microseconds: i64) -> String {
    let first = days_from_civil(1, 1, 1) * DAY;
    let last = days_from_civil(9999, 12, 31) * DAY + DAY - 1;
    let clamped = microseconds.clamp(first, last);
    let (year, month, day) = civil_from_days(clamped.div_euclid(DAY));
    let of_day = clamped.rem_euclid(DAY);
    let (seconds, micros) = (of_day / SECOND, of_day % SECOND);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// The first instant of a day in a zone: not always midnight, where the clocks change then.
fn first_instant(year: i16, month: i8, day: i8, zone: &TimeZone) -> i64 {
    in_zone(year, month, day, Clock { hour: 0, minute: 0, second: None }, zone)
}

/// The instant of a minute on the clocks of a zone: the later reading where clocks jump forward,
/// the earlier where they repeat an hour. At the edges of time, beyond what zones know, as in UTC.
fn in_zone(year: i16, month: i8, day: i8, clock: Clock, zone: &TimeZone) -> i64 {
    civil::DateTime::new(year, month, day, clock.hour, clock.minute, 0, 0)
        .and_then(|local| zone.to_timestamp(local))
        .map_or_else(|_| naive(year, month, day, clock), jiff::Timestamp::as_microsecond)
}

/// The minute as if the clocks showed UTC.
fn naive(year: i16, month: i8, day: i8, clock: Clock) -> i64 {
    let minutes = i64::from(clock.hour) * 60 + i64::from(clock.minute);
    days_from_civil(year, month, day) * DAY + minutes * MINUTE
}

/// A leap second is the first second of the next minute: our time line has no room for it.
fn since_minute(second: Second) -> i64 {
    i64::from(second.whole) * SECOND + i64::from(second.microseconds)
}

/// How long what is written lasts: a second, a tenth… at the least a microsecond.
fn precision(second: Second) -> i64 {
    let digits = u32::try_from(second.digits.min(6)).unwrap_or(6);
    SECOND / 10_i64.pow(digits)
}

/// Days since 1970-01-01 in the Gregorian calendar.
fn days_from_civil(year: i16, month: i8, day: i8) -> i64 {
    // Years that begin in March, so that the leap day is the last of a year.
    let year = i64::from(year) - i64::from(month <= 2);
    let month = (i64::from(month) + 9) % 12;
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse, for days of the years 0001 to 10000.
fn civil_from_days(days: i64) -> (i16, i8, i8) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let narrow = |n: i64| i8::try_from(n).unwrap_or(1);
    (i16::try_from(year).unwrap_or(i16::MAX), narrow(month), narrow(day))
}
