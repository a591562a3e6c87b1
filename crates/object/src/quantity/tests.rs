use super::*;

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

#[test]
fn sums_and_differences_are_exact() {
    for (left, right, sum) in [
        ("1", "1m", "1001m"),
        ("1Gi", "1", "1073741825"),
        ("0", "1Gi", "1Gi"),
        ("9223372036854775807", "1", "9223372036854775808"),
        ("100m", "-100m", "0"),
        ("1e3", "1Ki", "2024"),
    ] {
        let mut total = quantity(left);
        total.add(&quantity(right));
        assert_eq!(total.to_string(), sum, "{left} + {right}");
        total.sub(&quantity(right));
        assert_eq!(total, quantity(left), "{left} + {right} - {right}");
    }
}

#[test]
fn amounts_are_ordered() {
    let texts = [
        "-1Gi", "-1", "-1n", "0", "1n", "1m", "999m", "1", "1025", "1Ki1",
    ];
    let sorted: Vec<Quantity> = texts.iter().filter_map(|text| text.parse().ok()).collect();
    for pair in sorted.windows(2) {
        assert!(pair[0] < pair[1], "{} < {}", pair[0], pair[1]);
    }
    assert_eq!(quantity("1000m"), quantity("1e0"));
    assert_eq!(quantity("1Ki"), quantity("1024"));
}

#[test]
fn hostile_exponents_are_cheap() {
    for text in [
        "1e2147483647",
        "0e2147483647",
        "1e-2147483648",
        "-1e999999999",
        "1e-999999999",
    ] {
        let huge = quantity(text);
        let _ = (
            huge.to_string(),
            huge.value(),
            huge.milli_value(),
            huge.as_approximate_f64(),
        );
        assert_ne!(huge.cmp(&quantity("-1")), Ordering::Equal, "{text}");
        let mut sum = huge.clone();
        sum.add(&quantity("1"));
        sum.round_up(0);
        sum.multiply(7);
    }
    let long = "9".repeat(100_000);
    assert_eq!(Quantity::parse(&long), Err(ParseError::Numeric));
    assert_eq!(
        Quantity::parse(&format!("{}e999999999", "9".repeat(30))),
        Err(ParseError::Numeric)
    );
}

#[test]
fn rounding_goes_away_from_zero() {
    let mut amount = quantity("1001m");
    assert!(!amount.round_up(0));
    assert_eq!(amount.to_string(), "2");
    let mut amount = quantity("-1.5");
    assert!(!amount.round_up(0));
    assert_eq!(amount.to_string(), "-2");
    let mut amount = quantity("5k");
    assert!(amount.round_up(0));
}

#[test]
fn suffixes_end_at_exa() {
    assert_eq!(quantity("1000E").to_string(), "1", "upstream's quirk");
    assert_eq!(quantity("1000e18").to_string(), "1e21");
}
