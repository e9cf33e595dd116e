//! Named parameters to unnamed ones, for SQLite: it finds a name by going through all names before it, so that a statement of
//! thirty thousand of them would cost seconds. Unnamed ones are counted.

use std::borrow::Cow;

use super::value::{Sql, Value};

/// Fewer names than this are not worth a new text.
const FEW: usize = 64;
/// Parameters SQLite takes in one statement.
const MOST: usize = 32_766;

/// The same statement with `?` for each `$1`; as it is where it has few parameters, or would have too many.
pub(super) fn unnamed(sql: Sql) -> Sql {
    if sql.values.len() < FEW {
        return sql;
    }
    match turned(&sql.text, &sql.values) {
        Some((text, values)) => Sql { text: Cow::Owned(text), values, ..sql },
        None => sql,
    }
}

fn turned(text: &str, values: &[Value]) -> Option<(String, Vec<Value>)> {
    let (mut plain, mut bound) = (String::with_capacity(text.len()), Vec::with_capacity(values.len()));
    let mut rest = text;
    while let Some(at) = rest.find(['$', '\'']) {
        plain.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        if rest[at..].starts_with('\'') {
            // Text in quotes is no parameter; a doubled quote ends one text and begins another.
            let end = tail.find('\'')? + 1;
            plain.push('\'');
            plain.push_str(&tail[..end]);
            rest = &tail[end..];
            continue;
        }
        let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
        let number: usize = tail[..digits].parse().ok()?;
        bound.push(values.get(number.checked_sub(1)?)?.clone());
        plain.push('?');
        rest = &tail[digits..];
    }
    plain.push_str(rest);
    (bound.len() <= MOST).then_some((plain, bound))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn many(text: &str) -> (String, Vec<i64>) {
        let sql = Sql::built(text.to_owned()).bind_all((1..=100_i64).map(Value::from));
        let Sql { text, values, .. } = unnamed(sql);
        let numbers = values.iter().map(|value| if let Value::Int(Some(number)) = value { *number } else { 0 }).collect();
        (text.into_owned(), numbers)
    }

    #[test]
    fn every_occurrence_gets_a_value_of_its_own_in_the_order_of_the_text() {
        let (text, values) = many("a = $12 OR b IN ($3, $12) OR c = '$5 it''s' OR d = $1");
        assert_eq!(text, "a = ? OR b IN (?, ?) OR c = '$5 it''s' OR d = ?");
        assert_eq!(values, [12, 3, 12, 1]);
    }

    #[test]
    fn what_cannot_be_turned_stays_as_it_is() {
        assert_eq!(many("a = $101").0, "a = $101");
        assert_eq!(many("a = $x").0, "a = $x");
        let few = unnamed(Sql::built("a = $1".to_owned()).bind(7_i64));
        assert_eq!(few.text, "a = $1");
    }
}
