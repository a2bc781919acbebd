//! Looks at an expression before it is compiled: refuses names that nothing has, puts operators that can make large values
//! out of small ones behind filters that look at sizes first, and has what compares and slices pay for what it is given. The
//! compiler itself evaluates what is constant, so this comes before it.

use minijinja::machinery::ast::{BinOp, BinOpKind, CallArg, Compare, CompareOpKind, Expr, UnaryOpKind};
use minijinja::machinery::parse_expr;
use minijinja::value::ValueKind;

use super::environment;
use super::{ExpressionError, reason};

/// How deep an expression may be nested. A sum of many terms is nested as deep as it has terms.
const MAX_DEPTH: usize = 100;

/// Functions that expressions may call.
const FUNCTIONS: [&str; 2] = ["range", "dict"];

/// Filters whose first argument names a filter, or a test.
const BY_NAME: [(&str, usize, Named); 5] = [
    ("map", 0, Named::Filter),
    ("select", 0, Named::Test),
    ("reject", 0, Named::Test),
    ("selectattr", 1, Named::Test),
    ("rejectattr", 1, Named::Test),
];

#[derive(Clone, Copy)]
enum Named {
    Filter,
    Test,
}

/// How many terms one operator may join. The compiler goes as deep as there are terms.
const MAX_TERMS: usize = 250;

/// A text of this length cannot be nested too deep, and what few comparisons it has go at most through what is in scope.
const SHORT: usize = MAX_DEPTH;

/// Checks `source` and gives what is to be compiled in its place, when that is something else.
pub(super) fn check(source: &str) -> Result<Option<String>, ExpressionError> {
    if source.len() < SHORT && is_plain(source) {
        return Ok(None);
    }
    if !is_shallow(source) {
        return Err(ExpressionError::TooDeep);
    }
    let expr = parse_expr(source).map_err(|error| ExpressionError::Syntax(reason(&error)))?;
    let mut looked = Looked { pays: false };
    looked.at(&expr, 0)?;
    Ok(looked.pays.then(|| {
        let mut text = String::with_capacity(source.len() * 2);
        write(&expr, &mut text);
        text
    }))
}

/// Whether the parser can go down all brackets and signs without running out of stack: it bounds most of its recursion, but
/// neither signs nor subscripts. Texts are counted as well; no harm is done by refusing one with a hundred open brackets.
fn is_shallow(source: &str) -> bool {
    let (mut open, mut signs) = (0_usize, 0_usize);
    for byte in source.bytes() {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            b'-' => signs += 1,
            byte if byte.is_ascii_whitespace() => {}
            // `not` stands among signs.
            b'n' | b'o' | b't' => {}
            _ => signs = 0,
        }
        if open > MAX_DEPTH || signs > MAX_DEPTH {
            return false;
        }
    }
    source.matches("not").count() <= 10 * MAX_DEPTH
}

/// Whether an expression, like most, only names something, compares it or adds a number: no filter, call or test, and no
/// operator that could make a large value.
fn is_plain(source: &str) -> bool {
    let adds_number = |after: &str| {
        after
            .trim_start()
            .starts_with(|first: char| first.is_ascii_digit())
    };
    let mut bytes = source.bytes().enumerate();
    bytes.all(|(at, byte)| match byte {
        b'|' | b'(' | b'*' | b'~' => false,
        b'+' => adds_number(&source[at + 1..]),
        _ => true,
    }) && !source.contains("is")
}

struct Looked {
    /// Whether some part could make a large value, or walk through one.
    pays: bool,
}

impl Looked {
    fn at(&mut self, expr: &Expr<'_>, depth: usize) -> Result<(), ExpressionError> {
        if depth > MAX_DEPTH {
            return Err(ExpressionError::TooDeep);
        }
        match expr {
            Expr::BinOp(op) => {
                // A sum has as many terms as it likes: it is not deep, it is long.
                let terms = terms(op);
                if terms.len() > MAX_TERMS {
                    return Err(ExpressionError::TooDeep);
                }
                for term in terms {
                    self.at(term, depth + 1)?;
                }
                self.pays |= grows(op) || walks(op.op, &op.left, &op.right);
                return Ok(());
            }
            Expr::Compare(compare) => self.pays |= compared(compare).any(|(_, pays)| pays),
            Expr::Slice(_) => self.pays = true,
            Expr::GetItem(get) => self.pays |= !is_scalar(&get.subscript_expr),
            Expr::Map(map) => self.pays |= !map.keys.iter().all(is_scalar),
            Expr::Filter(filter) => {
                self.known(environment::has_filter(filter.name), "filter", filter.name)?;
                self.named(filter.name, &filter.args)?;
                self.args(&filter.args, depth)?;
            }
            Expr::Test(test) => {
                self.known(environment::has_test(test.name), "test", test.name)?;
                self.args(&test.args, depth)?;
            }
            Expr::Call(call) => {
                match &call.expr {
                    Expr::Var(var) => self.known(FUNCTIONS.contains(&var.id), "function", var.id)?,
                    _ => return Err(ExpressionError::Method),
                }
                return self.args(&call.args, depth);
            }
            _ => {}
        }
        for child in children(expr) {
            self.at(child, depth + 1)?;
        }
        Ok(())
    }

    fn args(&mut self, args: &[CallArg<'_>], depth: usize) -> Result<(), ExpressionError> {
        for arg in args {
            let (CallArg::Pos(expr)
            | CallArg::Kwarg(_, expr)
            | CallArg::PosSplat(expr)
            | CallArg::KwargSplat(expr)) = arg;
            self.at(expr, depth + 1)?;
        }
        Ok(())
    }

    /// A filter or test that is named by a text.
    fn named(&self, filter: &str, args: &[CallArg<'_>]) -> Result<(), ExpressionError> {
        for (_, place, named) in BY_NAME.iter().filter(|(name, ..)| *name == filter) {
            let Some(CallArg::Pos(Expr::Const(name))) = args.get(*place) else {
                continue;
            };
            let name = name.value.as_str().unwrap_or_default();
            match named {
                Named::Filter => self.known(environment::has_filter(name), "filter", name)?,
                Named::Test => self.known(environment::has_test(name), "test", name)?,
            }
        }
        Ok(())
    }

    fn known(&self, is_known: bool, what: &'static str, name: &str) -> Result<(), ExpressionError> {
        if is_known {
            return Ok(());
        }
        Err(ExpressionError::Unknown {
            what,
            name: name.to_owned(),
        })
    }
}

/// The operands of an operator, with those of the same operator on its left: `a + b + c` has three.
fn terms<'e, 'a>(op: &'e BinOp<'a>) -> Vec<&'e Expr<'a>> {
    let mut terms = vec![&op.right];
    let mut left = &op.left;
    while let Expr::BinOp(inner) = left {
        if !is_same(inner.op, op.op) {
            break;
        }
        terms.push(&inner.right);
        left = &inner.left;
    }
    terms.push(left);
    terms.reverse();
    terms
}

fn is_same(one: BinOpKind, other: BinOpKind) -> bool {
    std::mem::discriminant(&one) == std::mem::discriminant(&other)
}

/// Whether the operator could make a large value. A sum that begins with a number is arithmetic or fails. A product repeats
/// texts and lists by any whole number, `2.0` and what `1.5 * 2` comes to among them: only numbers alone are arithmetic for
/// certain, and what is multiplied by `1.5` and nothing else.
fn grows(op: &BinOp<'_>) -> bool {
    let number =
        |expr: &Expr<'_>| matches!(expr, Expr::Const(value) if value.value.kind() == ValueKind::Number);
    match op.op {
        BinOpKind::Mul => {
            let terms = terms(op);
            let is_arithmetic = terms.len() == 2 && terms.iter().any(|term| is_part(term));
            !is_arithmetic && !terms.into_iter().all(number)
        }
        BinOpKind::Add => !terms(op).into_iter().take(2).any(number),
        BinOpKind::Concat => true,
        _ => false,
    }
}

/// Whether an expression is a number that is not whole.
fn is_part(expr: &Expr<'_>) -> bool {
    let Expr::Const(constant) = expr else { return false };
    let is_number = constant.value.kind() == ValueKind::Number;
    is_number && f64::try_from(constant.value.clone()).is_ok_and(|number| number.fract() != 0.0)
}

/// Whether a comparison could go through as much as stands on both sides of it. It stops where one of them ends.
fn walks(op: BinOpKind, left: &Expr<'_>, right: &Expr<'_>) -> bool {
    match op {
        // A text is searched for what is written of any other value.
        BinOpKind::In => !matches!(right, Expr::List(list) if list.items.iter().all(is_scalar)),
        op => is_comparison(op) && !is_scalar(left) && !is_scalar(right),
    }
}

/// Whether a look at all that an expression comes to has been paid for: that at a constant by who compiled it, that at a number
/// or boolean by the instruction, and that at a text by the filter that made it.
fn is_scalar(expr: &Expr<'_>) -> bool {
    match expr {
        Expr::Const(_) | Expr::UnaryOp(_) | Expr::Test(_) | Expr::Compare(_) => true,
        Expr::Filter(filter) => {
            // With arguments, some come to another value instead.
            let is_number = filter.args.is_empty() && environment::NUMBER_FILTERS.contains(&filter.name);
            is_number || environment::WRITING_FILTERS.contains(&filter.name)
        }
        Expr::BinOp(op) => {
            let is_scalar = matches!(
                op.op,
                BinOpKind::Sub
                    | BinOpKind::Div
                    | BinOpKind::FloorDiv
                    | BinOpKind::Rem
                    | BinOpKind::Pow
                    | BinOpKind::Concat
            );
            is_scalar || is_comparison(op.op)
        }
        _ => false,
    }
}

/// What a chain such as `a < b <= c` compares, and whether it pays for it.
fn compared<'e, 'a>(compare: &'e Compare<'a>) -> impl Iterator<Item = (&'e Expr<'a>, bool)> {
    let operands: Vec<_> = std::iter::once(&compare.expr)
        .chain(compare.ops.iter().map(|op| &op.expr))
        .collect();
    let mut pays = vec![false; operands.len()];
    for (place, op) in compare.ops.iter().enumerate() {
        if walks(as_operator(op.op), operands[place], operands[place + 1]) {
            pays[place] = true;
            pays[place + 1] = true;
        }
    }
    operands.into_iter().zip(pays)
}

fn children<'e, 'a>(expr: &'e Expr<'a>) -> Vec<&'e Expr<'a>> {
    match expr {
        Expr::Var(_) | Expr::Const(_) | Expr::BinOp(_) => Vec::new(),
        Expr::Slice(slice) => [
            Some(&slice.expr),
            slice.start.as_ref(),
            slice.stop.as_ref(),
            slice.step.as_ref(),
        ]
        .into_iter()
        .flatten()
        .collect(),
        Expr::UnaryOp(op) => vec![&op.expr],
        Expr::Compare(compare) => {
            let others = compare.ops.iter().map(|op| &op.expr);
            std::iter::once(&compare.expr).chain(others).collect()
        }
        Expr::IfExpr(choice) => [
            Some(&choice.test_expr),
            Some(&choice.true_expr),
            choice.false_expr.as_ref(),
        ]
        .into_iter()
        .flatten()
        .collect(),
        Expr::Filter(filter) => filter.expr.iter().collect(),
        Expr::Test(test) => vec![&test.expr],
        Expr::GetAttr(get) => vec![&get.expr],
        Expr::GetItem(get) => vec![&get.expr, &get.subscript_expr],
        Expr::Call(call) => vec![&call.expr],
        Expr::List(list) => list.items.iter().collect(),
        Expr::Tuple(tuple) => tuple.items.iter().collect(),
        Expr::Map(map) => map.keys.iter().chain(&map.values).collect(),
    }
}

/// Writes the expression with every part in brackets.
fn write(expr: &Expr<'_>, text: &mut String) {
    match expr {
        Expr::Var(var) => text.push_str(var.id),
        Expr::Const(constant) => write_constant(&constant.value, text),
        Expr::Slice(slice) => {
            paid(&slice.expr, environment::GLANCE, text);
            text.push('[');
            for (place, part) in [&slice.start, &slice.stop, &slice.step].into_iter().enumerate() {
                if place > 0 {
                    text.push(':');
                }
                part.iter().for_each(|part| write(part, text));
            }
            text.push(']');
        }
        Expr::UnaryOp(op) => {
            text.push_str(match op.op {
                UnaryOpKind::Not => "not ",
                UnaryOpKind::Neg => "-",
            });
            bracketed(&op.expr, text);
        }
        Expr::BinOp(op) => write_operator(op, text),
        Expr::Compare(compare) => {
            for (place, (expr, pays)) in compared(compare).enumerate() {
                if place > 0 {
                    text.push_str(compare_text(compare.ops[place - 1].op));
                }
                operand(expr, pays, text);
            }
        }
        Expr::IfExpr(choice) => {
            bracketed(&choice.true_expr, text);
            text.push_str(" if ");
            bracketed(&choice.test_expr, text);
            if let Some(otherwise) = &choice.false_expr {
                text.push_str(" else ");
                bracketed(otherwise, text);
            }
        }
        Expr::Filter(filter) => {
            filter.expr.iter().for_each(|expr| bracketed(expr, text));
            text.push('|');
            text.push_str(filter.name);
            write_args(&filter.args, text);
        }
        Expr::Test(test) => {
            bracketed(&test.expr, text);
            text.push_str(" is ");
            text.push_str(test.name);
            write_args(&test.args, text);
        }
        Expr::GetAttr(get) => {
            bracketed(&get.expr, text);
            text.push('.');
            text.push_str(get.name);
        }
        Expr::GetItem(get) => {
            bracketed(&get.expr, text);
            text.push('[');
            operand(&get.subscript_expr, true, text);
            text.push(']');
        }
        Expr::Call(call) => {
            write(&call.expr, text);
            write_args(&call.args, text);
        }
        Expr::List(list) => {
            text.push('[');
            write_list(&list.items, text);
            text.push(']');
        }
        Expr::Tuple(tuple) => {
            text.push('(');
            write_list(&tuple.items, text);
            text.push_str(if tuple.items.len() == 1 { ",)" } else { ")" });
        }
        Expr::Map(map) => {
            text.push('{');
            for (place, (key, value)) in map.keys.iter().zip(&map.values).enumerate() {
                if place > 0 {
                    text.push(',');
                }
                operand(key, true, text);
                text.push(':');
                write(value, text);
            }
            text.push('}');
        }
    }
}

fn bracketed(expr: &Expr<'_>, text: &mut String) {
    if let Expr::Var(_) | Expr::Const(_) | Expr::List(_) | Expr::Map(_) = expr {
        return write(expr, text);
    }
    text.push('(');
    write(expr, text);
    text.push(')');
}

/// A part of a comparison, or a key: it is looked at in full, which it pays for where that may be far.
fn operand(expr: &Expr<'_>, pays: bool, text: &mut String) {
    if pays && !is_scalar(expr) {
        paid(expr, environment::LOOK, text);
    } else {
        bracketed(expr, text);
    }
}

fn paid(expr: &Expr<'_>, filter: &str, text: &mut String) {
    text.push('(');
    bracketed(expr, text);
    text.push('|');
    text.push_str(filter);
    text.push(')');
}

fn write_operator(op: &BinOp<'_>, text: &mut String) {
    if is_comparison(op.op) {
        // One of two comparisons is no chain of them.
        let pays = walks(op.op, &op.left, &op.right);
        operand(&op.left, pays, text);
        text.push_str(operator_text(op.op));
        operand(&op.right, pays, text);
        return;
    }
    let terms = terms(op);
    let filter = match op.op {
        BinOpKind::Mul if grows(op) => environment::TIMES,
        BinOpKind::Add if grows(op) => environment::PLUS,
        BinOpKind::Concat => environment::CONCAT,
        _ => {
            for (place, term) in terms.into_iter().enumerate() {
                if place > 0 {
                    text.push_str(operator_text(op.op));
                }
                bracketed(term, text);
            }
            return;
        }
    };
    let (first, others) = (terms[0], &terms[1..]);
    bracketed(first, text);
    text.push('|');
    text.push_str(filter);
    text.push('(');
    for (place, other) in others.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        write(other, text);
    }
    text.push(')');
}

fn write_list(items: &[Expr<'_>], text: &mut String) {
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        write(item, text);
    }
}

fn write_args(args: &[CallArg<'_>], text: &mut String) {
    text.push('(');
    for (place, arg) in args.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        match arg {
            CallArg::Pos(expr) => write(expr, text),
            CallArg::Kwarg(name, expr) => {
                text.push_str(name);
                text.push('=');
                write(expr, text);
            }
            CallArg::PosSplat(expr) => {
                text.push('*');
                bracketed(expr, text);
            }
            CallArg::KwargSplat(expr) => {
                text.push_str("**");
                bracketed(expr, text);
            }
        }
    }
    text.push(')');
}

fn write_constant(value: &minijinja::Value, text: &mut String) {
    match value.as_str() {
        // Written as JSON, which every string literal may be.
        Some(string) => text.push_str(&serde_json::Value::from(string).to_string()),
        None => text.push_str(&value.to_string()),
    }
}

fn operator_text(op: BinOpKind) -> &'static str {
    match op {
        BinOpKind::Add => "+",
        BinOpKind::Sub => "-",
        BinOpKind::Mul => "*",
        BinOpKind::Div => "/",
        BinOpKind::FloorDiv => "//",
        BinOpKind::Rem => "%",
        BinOpKind::Pow => "**",
        BinOpKind::Concat => "~",
        BinOpKind::Eq => "==",
        BinOpKind::Ne => "!=",
        BinOpKind::Lt => "<",
        BinOpKind::Lte => "<=",
        BinOpKind::Gt => ">",
        BinOpKind::Gte => ">=",
        BinOpKind::In => " in ",
        BinOpKind::ScAnd => " and ",
        BinOpKind::ScOr => " or ",
    }
}

fn is_comparison(op: BinOpKind) -> bool {
    matches!(
        op,
        BinOpKind::Eq
            | BinOpKind::Ne
            | BinOpKind::Lt
            | BinOpKind::Lte
            | BinOpKind::Gt
            | BinOpKind::Gte
            | BinOpKind::In
    )
}

/// The operator that compares two.
fn as_operator(op: CompareOpKind) -> BinOpKind {
    match op {
        CompareOpKind::Eq => BinOpKind::Eq,
        CompareOpKind::Ne => BinOpKind::Ne,
        CompareOpKind::Lt => BinOpKind::Lt,
        CompareOpKind::Lte => BinOpKind::Lte,
        CompareOpKind::Gt => BinOpKind::Gt,
        CompareOpKind::Gte => BinOpKind::Gte,
        CompareOpKind::In | CompareOpKind::NotIn => BinOpKind::In,
    }
}

fn compare_text(op: CompareOpKind) -> &'static str {
    use CompareOpKind as Kind;
    match op {
        Kind::Eq => "==",
        Kind::Ne => "!=",
        Kind::Lt => "<",
        Kind::Lte => "<=",
        Kind::Gt => ">",
        Kind::Gte => ">=",
        Kind::In => " in ",
        Kind::NotIn => " not in ",
    }
}
