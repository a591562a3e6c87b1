//! Conversion between versions loses nothing.

use builtin::convert::convert;
use object::GroupVersionKind;
use serde_json::json;

#[test]
fn autoscalers_survive_the_older_version() {
    let original = json!({
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": { "name": "x" },
        "spec": {
            "minReplicas": 1,
            "maxReplicas": 3,
            "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "x" },
            "behavior": {
                "scaleDown": {
                    "selectPolicy": "Max",
                    "policies": [{ "type": "Percent", "value": 100, "periodSeconds": 15 }],
                },
            },
            "metrics": [
                {
                    "type": "External",
                    "external": {
                        "metric": { "name": "m", "selector": { "matchLabels": { "a": "b" } } },
                        "target": { "type": "AverageValue", "averageValue": "30" },
                    },
                },
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": { "type": "Utilization", "averageUtilization": 50 },
                    },
                },
            ],
        },
    });
    let mut scaler = original.clone();
    convert(
        &mut scaler,
        &GroupVersionKind::new("autoscaling", "v1", "HorizontalPodAutoscaler"),
    );
    assert_eq!(scaler["spec"]["targetCPUUtilizationPercentage"], 50);
    let annotations = &scaler["metadata"]["annotations"];
    assert_eq!(
        annotations["autoscaling.alpha.kubernetes.io/metrics"],
        r#"[{"type":"External","external":{"metricName":"m","metricSelector":{"matchLabels":{"a":"b"}},"targetAverageValue":"30"}}]"#
    );
    convert(
        &mut scaler,
        &GroupVersionKind::new("autoscaling", "v2", "HorizontalPodAutoscaler"),
    );
    assert_eq!(scaler, original);
}

#[test]
fn events_change_names() {
    let original =
        json!({ "apiVersion": "events.k8s.io/v1", "kind": "Event", "note": "n", "regarding": {} });
    let mut event = original.clone();
    convert(&mut event, &GroupVersionKind::new("", "v1", "Event"));
    assert_eq!(event["message"], "n");
    assert!(event.get("regarding").is_none());
    convert(
        &mut event,
        &GroupVersionKind::new("events.k8s.io", "v1", "Event"),
    );
    assert_eq!(event, original);
}
