//! Laws of sets of fields.

use object::smd::fieldset::Set;
use object::smd::path::{Path, PathElement};
use proptest::prelude::*;
use serde_json::json;

fn element() -> impl Strategy<Value = PathElement> {
    let name = || proptest::sample::select(vec!["a", "b", "a.b", "<c>", "\"\n", "ü"]);
    prop_oneof![
        4 => name().prop_map(PathElement::field),
        2 => (name(), 0..3).prop_map(|(name, number)| PathElement::key([("k", json!(number)), (name, json!("v"))])),
        2 => name().prop_map(|text| PathElement::value(json!(text))),
        1 => prop_oneof![Just(json!(1.5)), Just(json!(-3)), Just(json!(true)), Just(json!(1e21))].prop_map(PathElement::value),
        1 => (0..3i64).prop_map(PathElement::Index),
    ]
}

fn set() -> impl Strategy<Value = Set> {
    let path = proptest::collection::vec(element(), 1..4).prop_map(Path::from);
    proptest::collection::vec(path, 0..12).prop_map(|paths| Set::of(&paths))
}

proptest! {
    #[test]
    fn json_is_read_back(set in set()) {
        prop_assert_eq!(&Set::from_value(&set.to_value()).unwrap(), &set);
        let text = set.to_json();
        prop_assert_eq!(&serde_json::from_str::<serde_json::Value>(&text).unwrap(), &set.to_value());
        prop_assert_eq!(Set::from_value(&serde_json::from_str(&text).unwrap()).unwrap().to_json(), text);
    }

    #[test]
    fn paths_make_the_set(set in set()) {
        let paths = set.paths();
        prop_assert_eq!(paths.len(), set.len());
        prop_assert_eq!(set.is_empty(), paths.is_empty());
        prop_assert!(paths.iter().all(|path| set.has(path)));
        prop_assert_eq!(Set::of(paths.iter().rev()), set);
    }

    #[test]
    fn sets_have_their_algebra(a in set(), b in set(), c in set()) {
        prop_assert_eq!(a.union(&b), b.union(&a));
        prop_assert_eq!(a.intersection(&b), b.intersection(&a));
        prop_assert_eq!(a.union(&a), a.clone());
        prop_assert_eq!(a.union(&b).union(&c), a.union(&b.union(&c)));
        prop_assert_eq!(a.intersection(&b.union(&c)), a.intersection(&b).union(&a.intersection(&c)));
        prop_assert_eq!(a.difference(&b).union(&a.intersection(&b)), a.clone());
        prop_assert!(a.difference(&b).intersection(&b).is_empty());
        prop_assert!(a.difference(&a).is_empty());
        prop_assert!(a.intersection(&b).is_subset(&a) && a.is_subset(&a.union(&b)));
        prop_assert_eq!(a.is_subset(&b), a.difference(&b).is_empty());
    }

    #[test]
    fn members_are_those_of_the_paths(a in set(), b in set()) {
        for path in a.paths().iter().chain(&b.paths()) {
            prop_assert_eq!(a.union(&b).has(path), a.has(path) || b.has(path));
            prop_assert_eq!(a.intersection(&b).has(path), a.has(path) && b.has(path));
            prop_assert_eq!(a.difference(&b).has(path), a.has(path) && !b.has(path));
            let above = |end: usize| b.has(&Path::from(path.elements()[..end].to_vec()));
            let covered = (1..=path.elements().len()).any(above);
            prop_assert_eq!(a.recursive_difference(&b).has(path), a.has(path) && !covered);
            let below = a.paths().iter().any(|other| {
                other.elements().len() > path.elements().len() && other.elements().starts_with(path.elements())
            });
            prop_assert_eq!(a.leaves().has(path), a.has(path) && !below);
        }
    }
}
