//! Shortening: what a caller sent, where an answer repeats it.

use std::borrow::Cow;

/// The most characters that are repeated.
const MAX: usize = 200;

/// A text, or its beginning and `…`: a body may have a key or a value of its whole size.
pub fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MAX) {
        None => text.into(),
        Some((end, _)) => format!("{}…", &text[..end]).into(),
    }
}
