//! Meter: what filters, tests, operators and comparisons cost. The interpreter's fuel counts instructions, and each of
//! these is one, however much it is given.

use std::fmt::{self, Write};

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::limits::too_long;
use crate::language::value::MAX_RESULT_BYTES;

/// How much may be worked on for each instruction that the expression may take: items, or pieces of text.
const WORK_PER_FUEL: u64 = 10;

/// Bytes of text that count as one item.
const PIECE: usize = 16;

/// What has been worked on in this evaluation.
struct Spent(u64);

/// Pays for a look at all of `values`, at whatever stands in them as well. What several share counts once for each of them:
/// `[[0] * 1000] * 1000` has a million items to whoever walks through it, and a thousand in memory.
pub(super) fn pay(state: &mut State, values: &[Value]) -> Result<(), Error> {
    pay_repeated(state, values, 1)
}

/// Pays as [`pay`] does for so many `times` as much.
pub(super) fn pay_repeated(state: &mut State, values: &[Value], times: u64) -> Result<(), Error> {
    // Most values are scalars, whose size is at hand.
    let cost = match values.iter().map(scalar).sum::<Option<u64>>() {
        Some(cost) => cost.saturating_mul(times),
        None => {
            // What is left bounds the walk itself.
            let before = left(state);
            let mut left = before;
            match values.iter().try_for_each(|value| walk(value, &mut left)) {
                Some(()) => (before - left).saturating_mul(times),
                None => before,
            }
        }
    };
    spend(state, cost.saturating_add(1))
}

/// Pays for a look at `values`, but not at what stands in them.
pub(super) fn pay_shallow(state: &mut State, values: &[Value]) -> Result<(), Error> {
    let cost: u64 = values.iter().map(shallow).sum();
    spend(state, cost.saturating_add(1))
}

/// Pays for a value that was made, beyond what a scalar takes.
pub(super) fn pay_made(state: &mut State, made: &Value) -> Result<(), Error> {
    match shallow(made) {
        0 => Ok(()),
        cost => spend(state, cost),
    }
}

/// Pays for as many pieces as `text` has.
pub(super) fn pay_text(state: &mut State, text: &str) -> Result<(), Error> {
    spend(state, 1 + pieces(text))
}

/// Pays for work on so many items or pieces.
pub(super) fn spend(state: &mut State, cost: u64) -> Result<(), Error> {
    let Some(limit) = limit(state) else {
        return Ok(());
    };
    let Spent(spent) = state.get_or_insert_extension(Spent(0));
    *spent = spent.saturating_add(cost);
    if *spent > limit {
        return Err(Error::new(
            ErrorKind::OutOfFuel,
            "filters and operators have worked on more than limits.max_fuel allows",
        ));
    }
    Ok(())
}

/// What a look at all of `value` costs beyond that at a short text, as far as so much is left.
pub(super) fn pieces_beside(state: &State, value: &Value) -> u64 {
    match scalar(value) {
        Some(cost) => cost - 1,
        None => {
            let before = left(state);
            let mut left = before;
            walk(value, &mut left).map_or(before, |()| before - left)
        }
    }
}

/// How many pieces `text` has beyond the first.
pub(super) fn pieces(text: &str) -> u64 {
    (text.len() / PIECE) as u64
}

/// How long the text of a value is that is about to be written; an error when it is longer than `most` bytes.
pub(super) fn text_length(value: &Value, most: usize) -> Result<usize, Error> {
    if let Some(text) = value.as_str() {
        return (text.len() <= most).then_some(text.len()).ok_or_else(too_long);
    }
    let mut count = Count { left: most };
    write!(count, "{value}").map_err(|_| too_long())?;
    Ok(most - count.left)
}

/// Fails for a value of which the text would be longer than a result may be.
pub(super) fn check_text(value: &Value) -> Result<(), Error> {
    match scalar(value) {
        Some(_) => Ok(()),
        None => text_length(value, MAX_RESULT_BYTES).map(drop),
    }
}

/// Writes the text of `value` behind `text`, which becomes no longer than a result may be.
pub(super) fn write_text(value: &Value, text: &mut String) -> Result<(), Error> {
    let mut bounded = Bounded(text);
    match value.as_str() {
        Some(part) => bounded.write_str(part),
        None => write!(bounded, "{value}"),
    }
    .map_err(|_| too_long())
}

/// Counts what is written, and stops.
struct Count {
    left: usize,
}

impl Write for Count {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.left = self.left.checked_sub(part.len()).ok_or(fmt::Error)?;
        Ok(())
    }
}

/// Keeps what is written, and stops.
struct Bounded<'a>(&'a mut String);

impl Write for Bounded<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.0.len() + part.len() > MAX_RESULT_BYTES {
            return Err(fmt::Error);
        }
        self.0.push_str(part);
        Ok(())
    }
}

fn limit(state: &State) -> Option<u64> {
    let fuel = state.env().fuel()?;
    Some(fuel.saturating_mul(WORK_PER_FUEL))
}

/// What may still be worked on.
fn left(state: &State) -> u64 {
    let Some(limit) = limit(state) else {
        return u64::MAX;
    };
    let spent = state.get_extension().map_or(0, |Spent(spent)| *spent);
    limit.saturating_sub(spent)
}

/// Takes the size of `value`, with all that stands in it, from `left`; `None` when there is not so much.
// Recursion is as deep as the value is nested: by the source, which the guard bounds, and by the data, whose parser does.
fn walk(value: &Value, left: &mut u64) -> Option<()> {
    *left = left.checked_sub(scalar(value).unwrap_or(1))?;
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            for item in value.try_iter().into_iter().flatten() {
                walk(&item, left)?;
            }
        }
        ValueKind::Map => {
            for key in value.try_iter().into_iter().flatten() {
                walk(&key, left)?;
                if let Ok(member) = value.get_item(&key) {
                    walk(&member, left)?;
                }
            }
        }
        _ => {}
    }
    Some(())
}

/// The size of what has nothing in it.
fn scalar(value: &Value) -> Option<u64> {
    match value.kind() {
        ValueKind::String => Some(1 + value.as_str().map_or(0, pieces)),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => None,
        _ => Some(1),
    }
}

fn shallow(value: &Value) -> u64 {
    let count = || value.try_iter().map_or(0, Iterator::count);
    match value.kind() {
        ValueKind::String => value.as_str().map_or(0, pieces),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => value.len().unwrap_or_else(count) as u64,
        _ => 0,
    }
}
