//! Go text/template with the sprig functions over a Go-like value model.
