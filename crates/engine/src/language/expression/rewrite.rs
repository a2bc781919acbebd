//! The rewriter: writes an expression again with the filters that pay for it, every part in brackets.
//!
//! It stands on minijinja's `unstable_machinery`, as the guard does.

use minijinja::machinery::ast::{BinOp, BinOpKind, CallArg, CompareOpKind, Expr, UnaryOpKind};

use super::cost::{compared, grows, is_comparison, is_scalar, terms, walks};
use super::names;

/// Writes the expression with every part in brackets.
pub(super) fn write(expr: &Expr<'_>, text: &mut String) {
    match expr {
        Expr::Var(var) => text.push_str(var.id),
        Expr::Const(constant) => write_constant(&constant.value, text),
        Expr::Slice(slice) => {
            paid(&slice.expr, names::GLANCE, text);
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
        paid(expr, names::LOOK, text);
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
        BinOpKind::Mul if grows(op) => names::TIMES,
        BinOpKind::Add if grows(op) => names::PLUS,
        BinOpKind::Concat => names::CONCAT,
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
