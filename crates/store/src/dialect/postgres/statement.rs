//! The common text of statements in PostgreSQL's spelling.

/// `?1` becomes `$1`, and `CROSS JOIN … ON`, which tells SQLite to keep the order in which tables are
/// written, a plain `JOIN`: here a setting of the connection says that.
pub(super) fn translated(sql: &str) -> String {
    let sql = sql.replace("CROSS JOIN", "JOIN");
    // A question mark stands nowhere else: texts are always bound.
    sql.replace('?', "$")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_joins_are_spelled_as_postgresql_does() {
        assert_eq!(
            translated("SELECT 1 FROM a CROSS JOIN b ON b.x = ?1 WHERE a.y = ?12"),
            "SELECT 1 FROM a JOIN b ON b.x = $1 WHERE a.y = $12"
        );
    }
}
