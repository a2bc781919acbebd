use super::*;
use serde_json::json;

const FUEL: u64 = 100_000;

fn scope() -> Scope {
    Scope::from_json(
        json!({"a": 1, "f": 1.0, "text": "31.95", "word": "north", "none": null, "list": [1, 2], "empty": {}})
            .as_object()
            .unwrap()
            .clone(),
    )
}

fn evaluate(source: &str) -> Result<Json, String> {
    Expression::compile(source, FUEL)
        .map_err(|error| error.to_string())?
        .evaluate(&scope())
        .map_err(|failure| failure.error.message)
}

fn test(source: &str) -> Result<bool, String> {
    Expression::compile(source, FUEL)
        .map_err(|error| error.to_string())?
        .test(&scope())
        .map_err(|failure| failure.error.message)
}

#[test]
fn rule_06_use_of_what_is_undefined_fails_and_a_test_of_it_is_false() {
    assert_eq!(test("missing"), Ok(false));
    assert_eq!(test("empty.key"), Ok(false));
    assert_eq!(test("missing is defined"), Ok(false));
    assert_eq!(evaluate("missing|default(3)"), Ok(json!(3)));
    for source in [
        "missing",
        "missing.key",
        "missing + 1",
        "[missing]",
        "missing|num",
        "missing|upper",
    ] {
        assert!(evaluate(source).is_err(), "{source}: {:?}", evaluate(source));
    }
}

#[test]
fn rule_06_these_are_false_and_nothing_else() {
    for source in ["false", "0", "0.0", "''", "[]", "{}", "none", "missing"] {
        assert_eq!(test(source), Ok(false), "{source}");
    }
    for source in ["true", "1", "-0.1", "' '", "[0]", "{'a': 0}", "'false'", "'0'"] {
        assert_eq!(test(source), Ok(true), "{source}");
    }
}

#[test]
fn rule_06_num_reads_numeric_text_and_fails_on_what_is_no_number() {
    assert_eq!(evaluate("text|num + 1"), Ok(json!(32.95)));
    assert_eq!(evaluate("' -7 '|num"), Ok(json!(-7)));
    assert_eq!(evaluate("a|num"), Ok(json!(1)));
    assert_eq!(evaluate("f|num"), Ok(json!(1.0)));
    assert_eq!(
        evaluate("'9223372036854775808'|num"),
        Ok(json!(9_223_372_036_854_775_808_u64))
    );
    assert_eq!(evaluate("'18446744073709551615'|num"), Ok(json!(u64::MAX)));
    assert_eq!(
        evaluate("'18446744073709551616'|num"),
        Ok(json!(18_446_744_073_709_551_616.0))
    );
    for source in [
        "word|num",
        "''|num",
        "none|num",
        "true|num",
        "list|num",
        "'nan'|num",
        "'inf'|num",
        "'1e999'|num",
    ] {
        assert!(evaluate(source).is_err(), "{source}: {:?}", evaluate(source));
    }
}

#[test]
fn rule_06_less_than_across_types_follows_the_type() {
    assert_eq!(test("text > 100"), Ok(true));
    assert_eq!(test("text|num > 100"), Ok(false));
}

#[test]
fn rule_06_there_is_no_clock_and_no_randomness() {
    for source in [
        "now()",
        "random()",
        "[1, 2]|random",
        "uuid()",
        "lipsum()",
        "debug()",
    ] {
        assert!(evaluate(source).is_err(), "{source}");
    }
}

#[test]
fn whole_numbers_stay_whole_and_infinite_ones_are_errors() {
    assert_eq!(evaluate("a + 1").unwrap().to_string(), "2");
    assert_eq!(evaluate("f + 1").unwrap().to_string(), "2.0");
    assert!(
        evaluate("1e308 * 10")
            .unwrap_err()
            .contains("not a finite number")
    );
    assert!(evaluate("1 / 0").is_err());
    assert!(test("1e308 * 10").is_err());
}

#[test]
fn rule_06_what_is_plain_comes_to_what_the_interpreter_says() {
    let names = json!({
        "n": 7, "max": i64::MAX, "large": u64::MAX, "f": 1.5, "yes": true, "nothing": null, "text": "ab", "empty": "",
        "list": [1, 2], "o": {"n": -1, "o": {"text": "x"}, "nothing": null}, "range_": 1,
    });
    let scope = Scope::from_json(names.as_object().unwrap().clone());
    let paths = [
        "n",
        "max",
        "large",
        "f",
        "yes",
        "nothing",
        "text",
        "empty",
        "list",
        "o",
        "o.n",
        "o.o.text",
        "o.nothing",
        "missing",
        "missing.n",
        "o.missing",
        "o.missing.n",
        "n.n",
        "list.n",
        "range_",
        "range",
        "dict",
        "o.nothing.n",
    ];
    for path in paths {
        for then in ["", " + 1", "+0", " - 9", " * 2", "*0"] {
            let source = format!("{path}{then}");
            let plain = Expression::compile(&source, FUEL).unwrap();
            assert!(plain.plain.is_some(), "{source}");
            let mut interpreted = Expression::compile(&source, FUEL).unwrap();
            interpreted.plain = None;
            assert_eq!(plain.evaluate(&scope), interpreted.evaluate(&scope), "{source}");
            assert_eq!(plain.test(&scope), interpreted.test(&scope), "{source}");
        }
    }
}

#[test]
fn what_would_use_too_much_is_stopped() {
    assert!(evaluate("'x' * 2000000").unwrap_err().contains("longer than"));
    assert!(evaluate("'xxxxxxxxxx' * 100000 | replace('x', 'xxxxxxxxxx')").is_err());
    assert!(evaluate("'%99999999d'|format(1)").is_err());
    assert!(Expression::compile(&"(".repeat(5_000), FUEL).is_err());
    assert!(matches!(
        Expression::compile(&"1+".repeat(6_000), FUEL),
        Err(ExpressionError::TooLong)
    ));
}

#[test]
fn what_is_no_expression_is_refused_with_a_reason() {
    assert!(matches!(
        Expression::compile(" ", FUEL),
        Err(ExpressionError::Empty)
    ));
    assert!(matches!(
        Expression::compile("{{ a }}", FUEL),
        Err(ExpressionError::Braces)
    ));
    assert!(matches!(
        Expression::compile("a +", FUEL),
        Err(ExpressionError::Syntax(_))
    ));
    assert!(matches!(
        Expression::compile("a b", FUEL),
        Err(ExpressionError::Syntax(_))
    ));
}

#[test]
fn tojson_writes_what_it_is_given() {
    assert_eq!(
        evaluate("{'a': list, 'b': none}|tojson"),
        Ok(json!(r#"{"a":[1,2],"b":null}"#))
    );
}

#[test]
fn names_that_nothing_has_are_refused_before_anything_runs() {
    for (source, what) in [
        ("a|shout", "no filter `shout`"),
        ("a|format", "no filter `format`"),
        ("a is shiny", "no test `shiny`"),
        ("a is not shiny", "no test `shiny`"),
        ("now()", "no function `now`"),
        ("list|map('shout')", "no filter `shout`"),
        ("list|select('shiny')", "no test `shiny`"),
        ("[x for x in list]", "does not parse"),
        ("text.upper()", "values have no methods"),
        ("a if (1, -b|shout) else 2", "no filter `shout`"),
    ] {
        let error = Expression::compile(source, FUEL)
            .err()
            .map(|error| error.to_string());
        assert!(
            error.as_deref().is_some_and(|error| error.contains(what)),
            "{source}: {error:?}"
        );
    }
}

#[test]
fn what_is_guarded_comes_to_the_same() {
    for (source, expected) in [
        ("a + f + text|num", json!(33.95)),
        ("list + list + [a]", json!([1, 2, 1, 2, 1])),
        ("text + word", json!("31.95north")),
        ("word * 2", json!("northnorth")),
        ("2 * [a]", json!([1, 1])),
        ("a * -3 * list[1]", json!(-6)),
        ("a * 2.5", json!(2.5)),
        ("f * a", json!(1.0)),
        ("(a + list|length) * (2 - 5) ** 2", json!(27)),
        ("word ~ ' ' ~ a ~ none ~ list", json!("north 1None[1, 2]")),
        ("'a\\n\\'q\\'' ~ \"\\u00e9\"", json!("a\n'q'é")),
        (
            "{'k': a ~ '', 'l': (a, f), 'm': list[0:1]}",
            json!({"k": "1", "l": [1, 1.0], "m": [1]}),
        ),
        ("a ~ '' if not a is odd else (word|upper)[-1] ~ '!'", json!("H!")),
        ("[3, 1, 2]|sort(reverse=true)|join('-') ~ ''", json!("3-2-1")),
        (
            "list|map('string')|list + list|select('odd')|list + list|reject('odd')|list",
            json!(["1", "2", 1, 2]),
        ),
        (
            "a < 2 <= list[1] and 1 in list and 5 not in list and a ~ '' == '1'",
            json!(true),
        ),
        ("9007199254740993 + a", json!(9007199254740994_i64)),
        ("10 - 3 - 2 + a", json!(6)),
        ("7 // 2 * a", json!(3)),
        ("missing|default('') ~ word", json!("north")),
        ("(1 == 1) == (a * a == 2)", json!(false)),
        ("(a == 1) == (word|upper == 'NORTH')", json!(true)),
        ("list|length < a + word|length <= 6 == f * 6", json!(true)),
        (
            "(word|first) in word and [1] in [list, [a]] and 3 not in list + [a]",
            json!(true),
        ),
        ("{word|upper: list}[word|upper][1:]", json!([2])),
        (
            "(word|length > a|num) == (a - 1 < list|length) and -a != a",
            json!(true),
        ),
        ("{a - 1: 'x'}[a - 1] ~ ''", json!("x")),
        ("word is in([word|upper, word])", json!(true)),
        (
            "missing is eq(none) or word is startingwith(word|first)",
            json!(true),
        ),
        ("['a', 'b']|sum(start='')", json!("ab")),
        ("[list, [{'k': [a]}]]|sum(start=[])", json!([1, 2, {"k": [1]}])),
        ("[{'k': list}, {}, {'k': [3]}]|sum('k', [])", json!([1, 2, 3])),
        (
            "[{'k': [2], 'x': list}, {'k': [1]}]|sort(attribute='k')|map(attribute='k.0')|list + ['B', 'a']|sort",
            json!([1, 2, "a", "B"]),
        ),
        ("[1, 2.5]|sum + list|sum(start=1)", json!(7.5)),
        (
            "[1, 2]|join(d=', ') ~ [{'k': 'x'}, {'k': 3}]|join('-', attribute='k')",
            json!("1, 2x-3"),
        ),
        (
            "[{'k': {'n': 1}}, {'k': {'n': 2}}, {'k': {'n': 0}}]|selectattr('k.n')|rejectattr('k.n', 'eq', 2)|list",
            json!([{"k": {"n": 1}}]),
        ),
    ] {
        assert_eq!(evaluate(source), Ok(expected), "{source}");
    }
    for source in [
        "word + a",
        "missing + word",
        "word * word",
        "word * 1.5",
        "missing ~ ''",
        "{} + {}",
        "missing|selectattr('k')|list",
        "missing|sum(start=[])",
        "missing * 2 == a",
        "missing == word|upper",
        "[list]|selectattr(1)|list",
        "['a', 1]|sum(start='')",
        "['a']|join(1, 2, 3)",
    ] {
        assert!(evaluate(source).is_err(), "{source}: {:?}", evaluate(source));
    }
}

#[test]
fn what_is_repeated_by_a_whole_fraction_is_measured_as_well() {
    for source in [
        "100000000.0 * 'x'",
        "'x' * 100000000.0",
        "2.0 * 50000000 * 'x'",
        "2.0 * a * 'x' * 50000000",
        "0.5 * 100000000 * 'x'",
        "100000000.0 * [0]",
        "100000000.0*[0] == 100000000.0*[0.0]",
    ] {
        let error = evaluate(source).unwrap_err();
        assert!(error.contains("longer than"), "{source}: {error}");
    }
    assert_eq!(evaluate("2.0 * a * word"), Ok(json!("northnorth")));
    assert_eq!(evaluate("2.0 * 3 * 'x'"), Ok(json!("xxxxxx")));
    assert_eq!(evaluate("2 * 1.5 * 3"), Ok(json!(9.0)));
    assert_eq!(evaluate("a * 1.5"), Ok(json!(1.5)));
    assert!(evaluate("word * 1.5").is_err());
}

#[test]
fn a_hostile_expression_costs_at_most_its_fuel() {
    for source in [
        "'x' * 100000000",
        "('x' * 1000000) * 1000000",
        "[0] * 100000000",
        "range(100000)|list * 1000",
        "('x' * 1000000) ~ ('x' * 1000000)",
        "('x' * 1000000) + ('x' * 1000000) + ('x' * 1000000)",
        "range(100000)|join('x' * 1000000)",
        "range(100000)|map('default', range(100000)|list, true)|map('sort')|list",
        "range(100000)|select('in', range(100000)|list)|list",
        "range(10000)|map('string')|map('replace', '', 'x' * 1000)|list",
        "('x' * 1000000)|replace('x', 'y' * 1000)",
        "['x' * 1000000] * 400000",
        "(['x' * 1000000] * 50) ~ ''",
        "([1] * 400000) ~ ''",
        "(['x' * 100000] * 100)|string",
        "(['x' * 100000] * 100)|upper",
        "'x'|trim(['x' * 100000] * 100)",
        "(['x' * 100000] * 100)|join",
        "(['x' * 100000] * 100)|map('list')|list",
        "([1e300] * 200000)|string",
        "([1e300] * 200000)|join",
        "([{'k': 1e300}] * 90000)|join(attribute='k')",
        "range(10)|join([1] * 400000)",
        "range(2)|join(d='x' * 1000000) ~ ('x' * 1000000)",
        "(['x' * 100] * 90000)|sum(start='')",
        "([[1] * 10] * 50000)|sum(start=[])",
        "([{'k': [0]}] * 200000)|sum('k', [0] * 400000)",
        "[[[[0]*1000]*1000]*1000]*1000 == [[[[0]*1000]*1000]*1000]*1000",
        "[[0] * 1000] * 900 == [[0] * 1000] * 900 or [[0.0] * 1000] * 900 == [[0] * 1000] * 900",
        "range(100000)|list == range(100000)|list == range(100000)|list == range(100000)|list == range(100000)|list",
        "(0 in range(100000)|list) == (1.5 in [[0]*1000]*900) or [1] in [[0]*1000]*900",
        "([0] * 500000) is eq([0] * 500000)",
        "([{'k': 1}] * 1000)|selectattr('k', 'in', range(2, 9000)|list)|list",
        "([{'k': 1}] * 1000)|rejectattr('k', 'eq', range(2, 9000)|list)|list",
        "([{'k': 1}] * 100000)|map(attribute='k' * 100000)|list",
        "([{'k': 1}] * 100000)|sort(attribute='k' * 100000)|list",
        "([{'k': 1}] * 100000)|map(attribute=[0] * 1000)|list",
        "{[0]: 1}|attr([0] * 300000) or {[0]: 1}|attr([0] * 300000)",
        "{[0] * 400000: 1}[[0] * 400000]",
        "([{'k': [0] * 1000}] * 900)|sort(attribute='k')|sort(attribute='k')",
        "([{'k': [0] * 1000}] * 900)|groupby('k')|groupby('k')",
        &format!("[{}]", "('x' * 1000000)[1:],".repeat(100)),
        &format!("[{}]", "'x' * 1000000,".repeat(100)),
        &format!("[{}]", "range(1000)|join('x' * 1000),".repeat(100)),
        &format!("[{}]", "('x' * 1000)|replace('x', 'y' * 1000),".repeat(100)),
        "range(100000)|list|sort|sort|sort|sort|sort|sort|sort|sort|sort|sort|sort|sort|list",
    ] {
        let error = evaluate(source)
            .err()
            .unwrap_or_else(|| format!("{source} is evaluated"));
        assert!(
            error.contains("longer than") || error.contains("limits.max_fuel"),
            "{source}: {error}"
        );
    }
    for source in [
        &"1+".repeat(2_000),
        &"-".repeat(5_000),
        &"not ".repeat(2_400),
        &"- not ".repeat(1_500),
        &"not\t-\n".repeat(1_400),
        &"[".repeat(5_000),
        &"(".repeat(5_000),
        &"a[".repeat(3_000),
        &"a if b else ".repeat(500),
        &"a if b else ".repeat(800),
        &"a**".repeat(2_000),
        &"(-[".repeat(3_000),
        &"{'a':".repeat(1_000),
        &format!("a{}", ".b".repeat(4_000)),
        &format!("a{}", "|upper".repeat(1_000)),
    ] {
        assert!(
            Expression::compile(&format!("{source}1"), FUEL).is_err(),
            "{source}"
        );
    }
    assert!(evaluate(&format!("a{}", "+a".repeat(200))).is_ok());
    for source in [
        "('x' * 1000000)|replace('more than sixteen bytes long', 'y')|length",
        "'x' in ('y' * 1000000) or ('x' * 1000000)|length > 3",
        "([[0] * 1000] * 300)|map('length')|list|first == 1000",
    ] {
        assert!(evaluate(source).is_ok(), "{source}: {:?}", evaluate(source));
    }
    // Of what is ordered by an attribute, only that is looked at.
    let rows = "[{'n': 1, 'of no account': range(500)|list}] * 1000";
    assert!(evaluate(&format!("({rows})|sort(attribute='n')|groupby('n')|length")).is_ok());
}

#[test]
fn dates_are_read_and_written_without_a_clock() {
    for (source, expected) in [
        ("'2026-03-01T08:00:00+01:00'|date", json!(1_772_348_400_000_i64)),
        ("1772348400000|date", json!(1_772_348_400_000_i64)),
        (
            "('2026-03-01T07:00:00Z'|date + 3600000)|datefmt",
            json!("2026-03-01T08:00:00.000Z"),
        ),
        ("'2026-03-01T07:00:00Z'|datefmt('%d.%m.%Y')", json!("01.03.2026")),
    ] {
        assert_eq!(evaluate(source), Ok(expected), "{source}");
    }
    for source in [
        "'soon'|date",
        "none|date",
        "0|datefmt('%Q')",
        "0|datefmt('%#z')",
        "0|datefmt('x' * 200)",
        "1e300|date",
    ] {
        assert!(evaluate(source).is_err(), "{source}: {:?}", evaluate(source));
    }
}
