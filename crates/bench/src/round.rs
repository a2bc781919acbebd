//! Round: figures as they are printed.

/// Three digits behind the point: more would only be noise.
pub fn round(figure: f64) -> f64 {
    (figure * 1_000.0).round() / 1_000.0
}
