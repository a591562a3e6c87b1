//! The store of artifacts and the server that hands them out.
