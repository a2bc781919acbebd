//! What others have written, on a terminal: it obeys control characters, so that a name could rewrite the screen or forge a
//! line of a table.

use std::borrow::Cow;

/// A text of several lines: line breaks stay, every other control character is shown as its escape.
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && obeyed(c))
}

/// A text within a line: all control characters are shown as their escapes.
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, obeyed)
}

fn escaped(text: &str, obeyed: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&obeyed) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if obeyed(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown.into()
}

/// Control characters, and those that turn the direction of what follows.
fn obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_nothing_that_it_would_obey() {
        assert_eq!(line("Grüße 🌾"), "Grüße 🌾");
        assert_eq!(
            line("\u{1b}[2Jgone\u{9b}1m\n\u{202e}x"),
            r"\u{1b}[2Jgone\u{9b}1m\n\u{202e}x"
        );
        assert_eq!(lines("one\ntwo\r\u{7}"), "one\ntwo\\r\\u{7}");
    }
}
