//! The names of filters, tests and functions: which are taken away, which pay, and what for.

/// The filters that stand for the operators `*`, `+` and `~` where those could make large values.
pub(super) const TIMES: &str = "__times";
pub(super) const PLUS: &str = "__plus";
pub(super) const CONCAT: &str = "__concat";

/// The filters that give what they are given, and pay for a look at all of it, or at what it begins with: for comparisons
/// and slices.
pub(super) const LOOK: &str = "__look";
pub(super) const GLANCE: &str = "__glance";

/// Filters that make as many bytes or items as a number in the expression says, or that serve a page of HTML.
pub(super) const REMOVED_FILTERS: [&str; 8] = [
    "format", "indent", "pprint", "batch", "slice", "safe", "escape", "e",
];

/// Functions that show the interpreter's inside, or make values that change.
pub(super) const REMOVED_FUNCTIONS: [&str; 2] = ["debug", "namespace"];

/// Filters that come to a number or a boolean, or fail.
pub(super) const NUMBER_FILTERS: [&str; 9] = [
    "abs", "bool", "count", "date", "float", "int", "length", "num", "round",
];

/// Filters that come to a text, or fail.
pub(super) const WRITING_FILTERS: [&str; 10] = [
    "capitalize",
    "datefmt",
    "join",
    "lower",
    "replace",
    "string",
    "title",
    "tojson",
    "trim",
    "upper",
];

/// Filters of the library that hand on what they are given, or look at nothing but the items themselves. Each pays for so
/// many items.
pub(super) const SHALLOW_FILTERS: [&str; 19] = [
    "abs", "attr", "bool", "chain", "count", "d", "default", "first", "float", "int", "items", "last",
    "length", "list", "map", "reverse", "round", "sum", "zip",
];

/// Filters of the library that compare what they are given, or write it. Each pays for all that stands in it, or for the one
/// attribute of each item that it looks at.
pub(super) const DEEP_FILTERS: [&str; 17] = [
    "capitalize",
    "dictsort",
    "groupby",
    "join",
    "lines",
    "lower",
    "max",
    "min",
    "replace",
    "sort",
    "split",
    "string",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
];

/// Filters that test item by item. Each test pays for itself.
pub(super) const CHOOSING_FILTERS: [&str; 4] = ["select", "reject", "selectattr", "rejectattr"];

/// Filters that write what is no text before they work on it.
pub(super) const TEXT_FILTERS: [&str; 8] = [
    "capitalize",
    "lines",
    "lower",
    "split",
    "string",
    "title",
    "trim",
    "upper",
];

/// Tests of the library that compare, by every name. Each pays for all that stands in what it is given.
pub(super) const COMPARING_TESTS: [&str; 21] = [
    "!=",
    "<",
    "<=",
    "==",
    ">",
    ">=",
    "endingwith",
    "eq",
    "equalto",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "le",
    "lessthan",
    "lower",
    "lt",
    "ne",
    "sameas",
    "startingwith",
    "upper",
];

/// Filters of ours, beside those that take the place of the library's.
const OWN_FILTERS: [&str; 3] = ["num", "date", "datefmt"];

/// Whether there is a filter of that name, for people.
pub(super) fn has_filter(name: &str) -> bool {
    [
        &OWN_FILTERS[..],
        &SHALLOW_FILTERS,
        &DEEP_FILTERS,
        &CHOOSING_FILTERS,
    ]
    .iter()
    .any(|names| names.contains(&name))
}
