//! Places as points on the unit sphere, so that SQL compares straight distances.

/// Mean radius of the earth, in metres (IUGG).
const EARTH: f64 = 6_371_008.8;

/// The point of a place given in degrees: `[x, y, z]`, z towards the north pole.
pub(crate) fn point(latitude: f64, longitude: f64) -> [f64; 3] {
    let (north, east) = (latitude.to_radians(), longitude.to_radians());
    [north.cos() * east.cos(), north.cos() * east.sin(), north.sin()]
}

/// The straight distance between two points whose distance over ground is `metres`: two points
/// are at most so far apart exactly when the haversine of their distance says so.
pub(crate) fn chord(metres: f64) -> f64 {
    let angle = (metres.max(0.0) / EARTH).min(std::f64::consts::PI);
    2.0 * (angle / 2.0).sin()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apart(one: [f64; 3], other: [f64; 3]) -> f64 {
        one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    }

    #[test]
    fn straight_distances_stand_for_distances_over_ground() {
        let (paris, lyon) = (point(48.8566, 2.3522), point(45.7640, 4.8357));
        // 391.5 km by the haversine formula.
        assert!(apart(paris, lyon) < chord(392_000.0));
        assert!(apart(paris, lyon) > chord(391_000.0));
        // Across the date line, and one metre.
        assert!(apart(point(0.0, 179.999), point(0.0, -179.999)) < chord(223.0));
        assert!(apart(point(48.0, 2.0), point(48.0 + 1.0 / 111_195.0, 2.0)) < chord(1.01));
        assert!(apart(point(48.0, 2.0), point(48.0 + 1.0 / 111_195.0, 2.0)) > chord(0.99));
    }

    #[test]
    fn the_whole_earth_is_near_enough() {
        assert!(apart(point(90.0, 0.0), point(-90.0, 0.0)) <= chord(20_100_000.0));
        assert!(chord(-1.0).abs() < f64::EPSILON);
    }
}
