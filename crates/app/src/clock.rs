//! The one place that asks what time it is.

use jiff::{Timestamp, tz::TimeZone};

/// Now.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// A moment as FHIR writes instants, in a zone.
pub(crate) fn text(moment: Timestamp, zone: &TimeZone) -> String {
    moment.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_a_zone_and_milliseconds() {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let moment = Timestamp::from_microsecond(1_700_000_000_400_000).unwrap();
        assert_eq!(text(moment, &zone), "2023-11-14T23:13:20.400+01:00");
    }
}
