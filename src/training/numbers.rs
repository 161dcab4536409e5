//! Learning rates and losses as people write them, for messages.

/// A learning rate as a person writes it: 0.01, 1e-7. Multiplying by 0.1 leaves digits behind
/// (0.00000010000000000000002) that only the log needs.
pub fn lr_text(lr: f64) -> String {
    let rounded: f64 = format!("{lr:.4e}").parse().unwrap_or(lr);
    if (1e-4..1e6).contains(&rounded) {
        rounded.to_string()
    } else {
        format!("{rounded:e}")
    }
}

/// A loss in few digits, also one that has grown beyond all bounds.
pub fn loss_text(loss: f64) -> String {
    if loss < 1e6 {
        format!("{loss:.4}")
    } else {
        format!("{loss:.4e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learning_rates_are_written_as_people_write_them() {
        let lowered = 0.01 * 0.1 * 0.1 * 0.1 * 0.1 * 0.1;
        assert_eq!(lr_text(0.01), "0.01");
        assert_eq!(lr_text(0.01 * 0.1), "0.001");
        assert_eq!(lr_text(lowered), "1e-7");
        assert_eq!(lr_text(1.0), "1");
        assert_eq!(lr_text(1e6), "1e6");
        assert_eq!(lr_text(1e300), "1e300");
        assert_eq!(loss_text(1.25), "1.2500");
        assert_eq!(loss_text(1.5587e31), "1.5587e31");
    }
}
