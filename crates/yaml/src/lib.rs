//! YAML as the Go libraries of Kustomize, Helm and kubectl read and write it.
