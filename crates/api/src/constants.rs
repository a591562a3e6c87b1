//! x
pub mod conditions {
    //! x
    /// r
    pub const READY: &str = "Ready";
    /// r
    pub const RECONCILING: &str = "Reconciling";
    /// r
    pub const STALLED: &str = "Stalled";
}
