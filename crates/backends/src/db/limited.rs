//! Limits as numbers in the text, for SQLite: it plans by the value of a `LIMIT`, and so prepares a statement again each time the
//! parameter of one is bound, which costs more than most of our statements. There are few different limits.

use std::borrow::Cow;

use super::value::{Sql, Value};

const LIMIT: &str = "LIMIT $";

/// The same statement with the value of each `LIMIT $1` in its place.
pub(super) fn limited(sql: Sql) -> Sql {
    match turned(&sql.text, &sql.values) {
        Some(text) => Sql { text: Cow::Owned(text), ..sql },
        None => sql,
    }
}

/// None where nothing is to be put in.
fn turned(text: &str, values: &[Value]) -> Option<String> {
    let (before, mut rest) = text.split_once(LIMIT)?;
    let mut plain = before.to_owned();
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let Value::Int(Some(limit)) = values.get(number.parse::<usize>().ok()?.checked_sub(1)?)? else { return None };
        let (between, next) = match after.split_once(LIMIT) {
            Some((between, next)) => (between, Some(next)),
            None => (after, None),
        };
        plain.push_str(&format!("LIMIT {limit}{between}"));
        match next {
            Some(next) => rest = next,
            None => return Some(plain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &'static str) -> Cow<'static, str> {
        let values = [Value::from("text"), Value::from(20_i64), Value::from(7_i64), Value::Int(None)];
        limited(super::super::sql(text).bind_all(values)).text
    }

    #[test]
    fn limits_become_numbers_and_other_parameters_stay() {
        assert_eq!(text("a = $1 ORDER BY a LIMIT $2"), "a = $1 ORDER BY a LIMIT 20");
        assert_eq!(
            text("a IN (SELECT a FROM b LIMIT $3) AND c = $1 LIMIT $2 OFFSET $3"),
            "a IN (SELECT a FROM b LIMIT 7) AND c = $1 LIMIT 20 OFFSET $3"
        );
    }

    #[test]
    fn what_is_no_number_stays_as_it_is() {
        for left in ["a = $1 LIMIT 1", "a LIMIT $1", "a LIMIT $4", "a LIMIT $9", "a LIMIT $x", "a LIMIT $0"] {
            assert_eq!(text(left), left);
        }
    }
}
