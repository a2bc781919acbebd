//! What filters cost. The interpreter's fuel counts instructions, and a filter is one, however much it is given.

use std::sync::atomic::{AtomicU64, Ordering};

use minijinja::value::{Object, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

/// How much filters may work on for each instruction that the expression may take: items, or pieces of text.
const WORK_PER_FUEL: u64 = 10;

/// Bytes of text that count as one item.
const PIECE: usize = 16;

const NAME: &str = "meter";

/// What filters have worked on in this evaluation.
#[derive(Debug, Default)]
struct Meter(AtomicU64);

impl Object for Meter {}

/// Pays for a filter that is given `values`.
pub(super) fn pay(state: &mut State, values: &[Value]) -> Result<(), Error> {
    let cost = 1 + values.iter().map(size).sum::<u64>();
    let limit = match state.env().fuel() {
        Some(fuel) => fuel.saturating_mul(WORK_PER_FUEL),
        None => return Ok(()),
    };
    let meter = match state.get_temp(NAME) {
        Some(meter) => meter,
        None => {
            let meter = Value::from_object(Meter::default());
            state.set_temp(NAME, meter.clone());
            meter
        }
    };
    let spent = meter
        .downcast_object_ref::<Meter>()
        .map_or(0, |meter| meter.0.fetch_add(cost, Ordering::Relaxed));
    if spent.saturating_add(cost) > limit {
        return Err(Error::new(
            ErrorKind::OutOfFuel,
            "filters have worked on more than limits.max_fuel allows",
        ));
    }
    Ok(())
}

fn size(value: &Value) -> u64 {
    let size = match value.kind() {
        ValueKind::String => value.as_str().map_or(0, str::len) / PIECE,
        _ => value.len().unwrap_or_default(),
    };
    size as u64
}
