//! The guard: looks at an expression before it is compiled. It refuses names that nothing has, puts operators that can make
//! large values out of small ones behind filters that look at sizes first, and has what compares and slices pay for what it
//! is given. The compiler itself evaluates what is constant, so this comes before it.
//!
//! It stands on minijinja's syntax tree, which is `unstable_machinery`: any release may change it, and the operators and
//! nodes that it does not know would go unpaid. So the version is pinned, to 3.0.5.

use minijinja::machinery::ast::{CallArg, Expr};
use minijinja::machinery::parse_expr;

use super::cost::{compared, grows, is_scalar, terms, walks};
use super::{ExpressionError, environment, names, reason, rewrite};

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
        rewrite::write(&expr, &mut text);
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
                self.known(names::has_filter(filter.name), "filter", filter.name)?;
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
                Named::Filter => self.known(names::has_filter(name), "filter", name)?,
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
