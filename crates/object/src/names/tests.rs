use super::*;
use crate::field::Path;

#[test]
fn prefixes_may_end_in_a_dash() {
    assert!(name_is_dns_subdomain("web-", true).is_empty());
    assert!(!name_is_dns_subdomain("web-", false).is_empty());
    assert!(
        name_is_dns_label("a_-", true).is_empty(),
        "upstream's quirk"
    );
    assert!(!name_is_dns_label("-", true).is_empty());
    assert!(
        !name_is_dns_label("ä-", true).is_empty(),
        "cut inside a character"
    );
}

#[test]
fn qualified_names_have_one_optional_prefix() {
    for good in [
        "a",
        "A_b.c-d",
        "example.com/a",
        "kubernetes.io/metadata.name",
    ] {
        assert_eq!(qualified_name(good), Vec::<String>::new(), "{good}");
    }
    assert_eq!(qualified_name("/a"), ["prefix part must be non-empty"]);
    assert_eq!(qualified_name("a/b/c").len(), 1);
    assert_eq!(qualified_name("").len(), 2);
    let long = format!("{}/a", "a".repeat(254));
    assert_eq!(
        qualified_name(&long),
        ["prefix part must be no more than 253 bytes"]
    );
}

#[test]
fn numbers_have_ranges() {
    assert!(port_number(65_535).is_empty());
    assert_eq!(port_number(0), ["must be between 1 and 65535, inclusive"]);
    assert_eq!(
        user_or_group_id(-1),
        ["must be between 0 and 2147483647, inclusive"]
    );
}

#[test]
fn integers_are_canonical() {
    for good in ["0", "7", "-12", "120"] {
        assert!(decimal_integer(good).is_empty(), "{good}");
    }
    for bad in ["-", "-0", "01", "+1", "1a", "a", ""] {
        assert!(!decimal_integer(bad).is_empty(), "{bad}");
    }
}

#[test]
fn domains_have_segments() {
    let path = Path::new("spec");
    assert!(fully_qualified_name(&path, "a.b.c").is_empty());
    assert_eq!(fully_qualified_name(&path, "a.b").len(), 1);
    assert!(fully_qualified_domain_name(&path, "a.b.").is_empty());
    assert_eq!(fully_qualified_domain_name(&path, "a.").len(), 1);
    assert!(domain_prefixed_path(&path, "acme.io/foo/bar").is_empty());
    assert_eq!(domain_prefixed_path(&path, "acme.io/").len(), 1);
    assert_eq!(domain_prefixed_path(&path, "A/ b").len(), 2);
    assert!(domain_prefixed_key(&path, "acme.io/foo").is_empty());
    assert_eq!(domain_prefixed_key(&path, "foo").len(), 1);
}
