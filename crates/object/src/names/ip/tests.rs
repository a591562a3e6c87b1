use super::*;

fn texts(errors: ErrorList) -> Vec<String> {
    errors.iter().map(|error| error.detail.clone()).collect()
}

#[test]
fn addresses_are_read_sloppily() {
    for (text, expected) in [
        ("10.9.8.7", Some("10.9.8.7")),
        ("010.009.08.7", Some("10.9.8.7")),
        ("10.9.8", None),
        ("10.9.8.256", None),
        ("10.9.8.7.6", None),
        ("::", Some("::")),
        ("::1", Some("::1")),
        ("1::", Some("1::")),
        ("FE80:0:0:0:0:0:0:0abc", Some("fe80::abc")),
        ("00001::00000", Some("1::")),
        ("1:0:0:2:0:0:0:3", Some("1:0:0:2::3")),
        ("1:2:3:4:5:6:7:8", Some("1:2:3:4:5:6:7:8")),
        ("1:2:3:4:5:6:7::", Some("1:2:3:4:5:6:7:0")),
        ("1:2:3:4:5:6:7:8::", None),
        ("1::2::3", None),
        ("::ffff:1.2.3.4", Some("1.2.3.4")),
        ("::1.2.3.4", Some("::102:304")),
        ("1:2:3:4:5:6:7:1.2.3.4", None),
        ("fe80::1%eth0", None),
        ("", None),
        ("abc", None),
        (":", None),
        (":::", None),
    ] {
        let found = parse_sloppy(text).map(canonical);
        assert_eq!(found.as_deref(), expected, "{text:?}");
    }
}

#[test]
fn new_fields_want_the_canonical_form() {
    let path = Path::new("spec");
    assert!(ip(&path, "10.0.0.1").is_empty());
    assert_eq!(texts(ip(&path, "010.0.0.1")), ["must not have leading 0s"]);
    assert_eq!(
        texts(ip(&path, "FE80::1")),
        ["must be in canonical form (\"fe80::1\")"]
    );
    assert_eq!(
        texts(ip(&path, "::ffff:1.2.3.4")),
        ["must not be an IPv4-mapped IPv6 address"]
    );
    assert!(legacy_ip(&path, "010.0.0.1", false, &[]).is_empty());
    assert!(legacy_ip(&path, "x", true, &["x"]).is_empty());
    assert!(ip_warnings(&path, "010.0.0.1")[0].contains("use \"10.0.0.1\""));
    assert!(ip_warnings(&path, "FE80::1")[0].contains("RFC 5952"));
}

#[test]
fn blocks_are_masked() {
    let path = Path::new("spec");
    assert!(cidr(&path, "10.0.0.0/8").is_empty());
    assert!(cidr(&path, "::/0").is_empty());
    assert_eq!(
        texts(cidr(&path, "10.0.0.1/8")),
        ["must not have bits set beyond the prefix length"]
    );
    assert_eq!(
        texts(cidr(&path, "10.0.0.0/08")),
        ["must not have leading 0s in IP or prefix length"]
    );
    assert_eq!(texts(cidr(&path, "10.0.0.0/33")).len(), 1);
    assert!(interface_address(&path, "10.0.0.1/8").is_empty());
    assert!(cidr_warnings(&path, "10.0.0.1/8")[0].contains("\"10.0.0.0/8\" or \"10.0.0.1/32\""));
}
