use serde_json::json;

use super::*;

#[test]
fn references_are_linked_whatever_their_order() {
    let schema = Schema::parse(&json!({"types": [
        {"name": "a", "map": {"fields": [
            {"name": "b", "type": {"namedType": "b"}},
            {"name": "atomic", "type": {"namedType": "b", "elementRelationship": "atomic"}},
            {"name": "gone", "type": {"namedType": "nowhere"}},
        ]}},
        {"name": "b", "list": {"elementType": {"scalar": "string"}, "elementRelationship": "associative"}},
    ]}))
    .unwrap();
    let a = schema.type_named("a").unwrap();
    let map = schema.resolve(a.id()).unwrap().map.as_ref().unwrap();
    let relationship = |name: &str| {
        let id = map.field(name).unwrap().type_id;
        schema
            .resolve(id)
            .map(|atom| atom.list.as_ref().unwrap().relationship)
    };
    assert_eq!(relationship("b"), Ok(Relationship::Associative));
    assert_eq!(relationship("atomic"), Ok(Relationship::Atomic));
    assert_eq!(relationship("gone"), Err("nowhere"));
    assert!(map.field("c").is_none());
    assert!(schema.type_named("c").is_none());
}

#[test]
fn openapi_extensions_make_the_type() {
    let document = json!({"components": {"schemas": {
        "Root": {"type": "object", "properties": {
            "ports": {
                "type": "array",
                "items": {"allOf": [{"$ref": "#/components/schemas/Port"}], "default": {}},
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["port", "protocol"],
            },
            "old": {
                "type": "array", "items": {"$ref": "#/components/schemas/Port"},
                "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "port",
            },
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "selector": {"$ref": "#/components/schemas/Port", "x-kubernetes-map-type": "atomic"},
            "time": {"type": "string", "format": "date-time"},
            "free": {"type": "object"},
            "any": {},
        }},
        "Port": {"type": "object", "properties": {
            "port": {"type": "integer"},
            "protocol": {"type": "string", "default": "TCP"},
        }},
        "Unused": {"type": "nonsense"},
    }}});
    let root = Schema::from_openapi(&document, "Root", false).unwrap();
    let schema = root.schema();
    let map = schema.resolve(root.id()).unwrap().map.as_ref().unwrap();
    let atom = |name: &str| schema.resolve(map.field(name).unwrap().type_id).unwrap();
    let ports = atom("ports").list.as_ref().unwrap();
    assert_eq!(ports.relationship, Relationship::Associative);
    assert_eq!(ports.keys, ["port".into(), "protocol".into()]);
    assert_eq!(atom("old").list.as_ref().unwrap().keys, ["port".into()]);
    let port = schema
        .resolve(ports.element.unwrap())
        .unwrap()
        .map
        .as_ref()
        .unwrap();
    assert_eq!(port.field("protocol").unwrap().default, Some(json!("TCP")));
    assert_eq!(port.element, None);
    let selector = atom("selector").map.as_ref().unwrap();
    assert_eq!(selector.relationship, Relationship::Atomic);
    assert!(selector.field("port").is_some());
    assert_eq!(atom("time").scalar, Some(Scalar::Untyped));
    assert!(schema.is_untyped(atom("free").map.as_ref().unwrap().element.unwrap()));
    assert!(atom("any").list.is_some() && atom("any").map.is_some());
    let labels = atom("labels").map.as_ref().unwrap().element.unwrap();
    assert_eq!(schema.resolve(labels).unwrap().scalar, Some(Scalar::String));
}

#[test]
fn problems_are_collected() {
    let document = json!({"A": {"type": "object", "properties": {
        "a": {"type": "array", "x-kubernetes-list-type": "map"},
        "b": {"type": "nonsense"},
    }}});
    assert_eq!(
        Schema::from_openapi(&document, "A", false)
            .unwrap_err()
            .to_string(),
        "inlined in A: missing map keys\n\
         inlined in A: `items` must be specified on arrays\n\
         inlined in A: unrecognized type: 'nonsense'"
    );
}

#[test]
fn custom_resources_have_the_metadata_of_all_objects() {
    let document = json!({
        "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta": {"type": "object", "properties": {
            "finalizers": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        }},
    });
    let resource = |schema| CustomResource {
        schema,
        preserve_unknown_fields: false,
        document: &document,
        name: "com.example.v1.Thing",
    };
    let declared = json!({"type": "object", "properties": {
        "spec": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true},
    }});
    let thing = Schema::of_custom_resource(resource(Some(&declared))).unwrap();
    let schema = thing.schema();
    let map_of = |id| schema.resolve(id).unwrap().map.as_ref().unwrap();
    let root = map_of(thing.id());
    assert_eq!(root.element, None);
    let finalizers = |map: &Map| {
        let metadata = map_of(map.field("metadata").unwrap().type_id);
        let list = metadata.field("finalizers").unwrap().type_id;
        schema
            .resolve(list)
            .unwrap()
            .list
            .as_ref()
            .unwrap()
            .relationship
    };
    assert_eq!(finalizers(root), Relationship::Associative);
    let spec = map_of(root.field("spec").unwrap().type_id);
    assert_eq!(finalizers(spec), Relationship::Associative);
    assert!(spec.element.is_some());

    let thing = Schema::of_custom_resource(resource(None)).unwrap();
    let root = thing
        .schema()
        .resolve(thing.id())
        .unwrap()
        .map
        .as_ref()
        .unwrap();
    assert!(root.fields().is_empty() && root.element.is_some());
}
