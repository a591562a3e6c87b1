//! One run of a command: its flags, arguments, namespace and cluster.

use std::ops::Deref;

use super::Stop;
use super::cluster::Cluster;
use super::parse::Arguments;

/// A command that is being run.
pub(crate) struct Invocation<'t> {
    arguments: Arguments<'t>,
    /// The name the program goes by.
    pub(crate) program: &'t str,
    /// The namespace that it is about.
    pub(crate) namespace: String,
}

impl<'t> Invocation<'t> {
    /// A run of a command in a namespace.
    pub(crate) fn new(arguments: Arguments<'t>, program: &'t str, namespace: String) -> Self {
        Self {
            arguments,
            program,
            namespace,
        }
    }

    /// The first argument; empty without one.
    pub(crate) fn name(&self) -> &str {
        self.arguments.first().unwrap_or_default()
    }

    /// A connection to the cluster that the flags and the kubeconfig name.
    ///
    /// # Errors
    /// A kubeconfig that cannot be used.
    pub(crate) fn cluster(&self) -> Result<Cluster, Stop> {
        Cluster::connect(&self.arguments)
    }
}

impl<'t> Deref for Invocation<'t> {
    type Target = Arguments<'t>;

    fn deref(&self) -> &Self::Target {
        &self.arguments
    }
}
