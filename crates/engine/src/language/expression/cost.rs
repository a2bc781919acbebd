//! The cost of an operation: which operators could make a large value, and which comparisons could walk through one.

use minijinja::machinery::ast::{BinOp, BinOpKind, Compare, CompareOpKind, Expr};
use minijinja::value::ValueKind;

use super::names;

/// The operands of an operator, with those of the same operator on its left: `a + b + c` has three.
pub(super) fn terms<'e, 'a>(op: &'e BinOp<'a>) -> Vec<&'e Expr<'a>> {
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
pub(super) fn grows(op: &BinOp<'_>) -> bool {
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
pub(super) fn walks(op: BinOpKind, left: &Expr<'_>, right: &Expr<'_>) -> bool {
    match op {
        // A text is searched for what is written of any other value.
        BinOpKind::In => !matches!(right, Expr::List(list) if list.items.iter().all(is_scalar)),
        op => is_comparison(op) && !is_scalar(left) && !is_scalar(right),
    }
}

/// Whether a look at all that an expression comes to has been paid for: that at a constant by who compiled it, that at a number
/// or boolean by the instruction, and that at a text by the filter that made it.
pub(super) fn is_scalar(expr: &Expr<'_>) -> bool {
    match expr {
        Expr::Const(_) | Expr::UnaryOp(_) | Expr::Test(_) | Expr::Compare(_) => true,
        Expr::Filter(filter) => {
            // With arguments, some come to another value instead.
            let is_number = filter.args.is_empty() && names::NUMBER_FILTERS.contains(&filter.name);
            is_number || names::WRITING_FILTERS.contains(&filter.name)
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
pub(super) fn compared<'e, 'a>(compare: &'e Compare<'a>) -> impl Iterator<Item = (&'e Expr<'a>, bool)> {
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

pub(super) fn is_comparison(op: BinOpKind) -> bool {
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
